package main

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// filesEach is how many files a tenant has, at most; the last one selects.
const filesEach = 4

func (h *history) path(tenant string, n int) string {
	return fmt.Sprintf("tenants/%s/file%d.yaml", tenant, n)
}

// files is how many of them there are in this world.
func (h *history) files() int {
	if h.kind.steady {
		return filesEach - 1
	}
	return filesEach
}

// anyGroup is the tenant's group.
func (h *history) anyGroup(tenant string) mFile {
	f := mFile{tenant: tenant, group: true}
	for range 1 + h.random.IntN(2) {
		f.entries = append(f.entries, mEntry{prefix: netip.MustParsePrefix(fmt.Sprintf("2001:db8:9%x::/48", h.random.IntN(256)))})
	}
	return f
}

// anyFile is a file that is right. Each of a tenant's has clusters of its own
// to name, so that nobody claims what another has; some name a cluster of the
// other tenant besides, in vain.
func (h *history) anyFile(tenant string, n int) mFile {
	f := mFile{tenant: tenant, access: "restricted"}
	if n == filesEach-1 {
		f.selects, f.env = true, []string{"", "prod", "test"}[h.random.IntN(3)]
	} else {
		each := clustersEach / (filesEach - 1)
		f.clusters = append(f.clusters, h.id(tenant, n*each))
		if h.random.IntN(3) > 0 {
			f.clusters = append(f.clusters, h.id(tenant, n*each+1))
		}
		if h.random.IntN(6) == 0 && !h.kind.steady {
			f.clusters = append(f.clusters, h.id(other(tenant), h.random.IntN(clustersEach)))
		}
	}
	switch n := h.random.IntN(10); {
	case n == 0 && !h.kind.steady:
		f.access = "open"
	case n == 1:
		f.access = unmanaged
	default:
		f.entries = h.anyEntries()
		f.uses = h.anyGroupName(f)
	}
	return f
}

// anyGroupName is a group that a file may name. Only those that select name the
// tenant's: whether a file that cannot have its group claims clusters that it
// names for the first time is not promised.
func (h *history) anyGroupName(f mFile) string {
	switch n := h.random.IntN(4); {
	case n == 0:
		return providerGroup
	case n < 3 && f.selects:
		return tenantGroup
	}
	return ""
}

func other(tenant string) string {
	names := modelTenants()
	return names[1-slices.Index(names, tenant)]
}

// anyEntries has one for good of each family that it has at all: a file all of
// whose entries expire is refused.
func (h *history) anyEntries() []mEntry {
	out := []mEntry{{prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(h.random.IntN(256))}), 32)}}
	if h.random.IntN(2) == 0 {
		out = append(out, mEntry{prefix: netip.MustParsePrefix(fmt.Sprintf("2001:db8:%x::/48", h.random.IntN(64)))})
	}
	for range h.random.IntN(3) {
		bits := 24 + h.random.IntN(9)
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(h.random.IntN(256))}), bits).Masked()
		expires := h.world.now().Truncate(time.Hour).Add(time.Duration(1+h.random.IntN(50))*time.Hour + 30*time.Minute)
		if h.random.IntN(3) == 0 || h.kind.steady && !h.kind.expires {
			expires = time.Time{}
		}
		out = append(out, mEntry{p, expires})
	}
	return out
}

// commitOf makes a commit of files on top of another.
func (h *history) commitOf(parent string, files tree) string {
	texts := map[string]string{"README.md": fmt.Sprint("commit ", len(h.trees))}
	for path, f := range files {
		texts[path] = f.text(path)
	}
	signed := h.random.IntN(5) > 0 || h.signs
	sha, err := h.git.commit(parent, texts, h.world.now(), h.signer(signed))
	h.must(err)
	h.unsigned[sha] = h.kind.verified && !signed
	h.trees[sha], h.parents[sha] = files, parent
	return sha
}

// push moves the branch, forward or by force. What goes forward from what is
// followed is followed.
func (h *history) push(commit string) {
	h.head = commit
	if h.forward(commit) && !h.unsigned[commit] && !h.tooFar(h.trees[commit]) {
		h.follow(commit, false)
	}
	h.must(h.git.move(commit))
}

func (h *history) forward(commit string) bool {
	for at := commit; at != ""; at = h.parents[at] {
		if at == h.following {
			return true
		}
	}
	return h.following == ""
}

func (h *history) follow(commit string, approved bool) {
	h.following = commit
	h.change(func() {
		h.judged[commit] = h.judge(h.trees[commit])
		h.accepted = h.trees[commit]
		h.settleAs(approved)
	})
}

func (h *history) held() bool { return h.head != h.following }

// pushSomething changes some files of the branch.
func (h *history) pushSomething() {
	files := maps.Clone(h.trees[h.head])
	for range 1 + h.random.IntN(3) {
		tenant := modelTenants()[h.random.IntN(len(modelTenants()))]
		n := h.random.IntN(h.files())
		path := h.path(tenant, n)
		if h.random.IntN(6) == 0 && !h.kind.steady {
			path = groupPath(tenant)
			h.changeGroup(files, path, tenant)
		} else if f, there := files[path]; there {
			h.changeFile(files, path, f, n)
		} else {
			files[path] = h.anyFile(tenant, n)
		}
		if f, there := files[path]; there {
			h.note("%s becomes %v", path, f)
		} else {
			h.note("%s is removed", path)
		}
	}
	h.push(h.commitOf(h.head, files))
}

// changeGroup changes the tenant's group, or what is there of it.
func (h *history) changeGroup(files tree, path, tenant string) {
	f, there := files[path]
	switch n := h.random.IntN(6); {
	case n == 0 && there:
		delete(files, path)
	case n == 1 && there:
		f.broken = true
		files[path] = f
	default:
		files[path] = h.anyGroup(tenant)
	}
}

// changeFile changes one that is there.
func (h *history) changeFile(files tree, path string, f mFile, n int) {
	switch h.random.IntN(6) {
	case 0, 1:
		files[path] = h.anyFile(f.tenant, n)
	case 2:
		f.broken = true
		files[path] = f
	case 3:
		delete(files, path)
	case 4:
		f.broken = false
		f.entries = h.unexpired(f.entries)
		files[path] = f
	default:
		if f.access == "restricted" {
			f.entries = append(h.unexpired(f.entries), h.anyEntries()[0])
		}
		files[path] = f
	}
}

// unexpired leaves out what a commit could not add.
func (h *history) unexpired(entries []mEntry) []mEntry {
	return slices.DeleteFunc(slices.Clone(entries), func(e mEntry) bool { return !e.expires.IsZero() && !h.world.now().Before(e.expires) })
}

// rewind moves the branch back by force; or does something about a branch that
// was: it is approved, or goes forward again from what is followed.
func (h *history) rewind() {
	if !h.held() {
		back := h.earlier()
		if back == h.following {
			h.pushSomething()
			return
		}
		h.note("the branch is moved back to %.8s, from %.8s", back, h.head)
		h.push(back)
		return
	}
	if h.random.IntN(2) == 0 && h.current(h.trees[h.head]) {
		h.note("%.8s is approved", h.head)
		h.approved = h.head
		// An approval is of what was held: of going too far, where that was it.
		h.follow(h.head, h.forward(h.head) && h.tooFar(h.trees[h.head]))
		h.must(h.approve(h.ctx, h.head, h.whenApproved()))
		return
	}
	h.comeBack()
}

// whenApproved is another time for each approval, for each counts once: the latest
// that the clock showed stands still where it was set back.
func (h *history) whenApproved() time.Time {
	h.approvals++
	return h.latest.Add(time.Duration(h.approvals) * time.Microsecond)
}

// approveHeld lets go ahead what went too far, or is a push where nothing did.
func (h *history) approveHeld() {
	if h.held() || !h.waits() {
		h.pushSomething()
		return
	}
	h.note("what is held of %.8s is approved", h.following)
	h.change(func() { h.settleAs(true) })
	h.must(h.approve(h.ctx, h.following, h.whenApproved()))
}

// earlier is a commit some way back, or another one on top of that; or the very
// one that was approved last, which is another case each time.
func (h *history) earlier() string {
	if h.passed(h.approved) && h.random.IntN(3) > 0 {
		return h.approved
	}
	back := h.following
	for range 1 + h.random.IntN(3) {
		if h.parents[back] != "" {
			back = h.parents[back]
		}
	}
	if back != h.following && h.random.IntN(2) == 0 {
		back = h.commitOf(back, h.trees[back])
	}
	return back
}

// passed tells whether what is followed has gone on from a commit.
func (h *history) passed(commit string) bool {
	for at := h.parents[h.following]; at != "" && commit != ""; at = h.parents[at] {
		if at == commit {
			return true
		}
	}
	return false
}

// comeBack moves the branch to what is followed, and forward from there.
func (h *history) comeBack() {
	h.note("the branch goes on from %.8s", h.following)
	h.push(h.commitOf(h.following, h.trees[h.following]))
}

// current tells whether none of the entries has expired: those of a commit that
// comes back would be new ones that have.
func (h *history) current(files tree) bool {
	for _, f := range files {
		if len(h.unexpired(f.entries)) < len(f.entries) {
			return false
		}
	}
	return true
}

// restart ends the command and starts it again, perhaps without its mirror;
// meanwhile somebody may use the dashboard.
func (h *history) restart() {
	lost := !h.held() && h.random.IntN(2) == 0
	h.note("it is started again, without its mirror: %t", lost)
	h.halt()
	if lost {
		h.must(os.RemoveAll(filepath.Join(h.dir, "data")))
	}
	if h.random.IntN(2) == 0 {
		h.hand(h.anyID())
	}
	if h.kind.freezes {
		h.freeze()
	}
	h.must(h.world.start())
}

// freeze writes another one into the Config, or none.
func (h *history) freeze() {
	frozen := map[string]time.Time{}
	until := h.world.now().Truncate(time.Hour).Add(time.Duration(1+h.random.IntN(60)) * time.Hour)
	switch n := h.random.IntN(8); {
	case n < 3:
		frozen["*"] = until
	case n < 7:
		frozen[h.anyID()], frozen[h.anyID()], frozen[h.anyID()] = until, until, until
	}
	h.freezeUntil(until, frozen)
}

// whileFrozen pushes more for every file while the whole seed is frozen, and
// has it thaw: what chance may not come to in a short history.
func (h *history) whileFrozen() {
	if !h.kind.freezes {
		return
	}
	if h.held() {
		h.comeBack()
		h.agree("the branch goes on")
	}
	until := h.world.now().Truncate(time.Hour).Add(3 * time.Hour)
	h.halt()
	h.freezeUntil(until, map[string]time.Time{"*": until})
	h.must(h.world.start())
	h.agree("all is frozen")
	files := maps.Clone(h.trees[h.head])
	for path, f := range files {
		f.broken, f.access = false, "restricted"
		f.entries = append(h.unexpired(f.entries), h.anyEntries()...)
		files[path] = f
	}
	h.note("each file has more, in vain")
	h.push(h.commitOf(h.head, files))
	h.agree("a push while all is frozen")
	h.setClockBy(4)
	h.agree("the end of the freeze")
}

// freezeUntil writes freezes into the Config.
func (h *history) freezeUntil(until time.Time, frozen map[string]time.Time) {
	h.note("frozen until %s: %v", until.Format("01-02T15:04"), slices.Sorted(maps.Keys(frozen)))
	h.change(func() { h.guard.frozen = frozen })
	h.must(h.configure(frozen))
}

// loseState removes all state while nothing runs. What files that are right say
// is in force as before; of the others nothing is known any more.
func (h *history) loseState() {
	h.signs = true // else nothing would be followed after it
	defer func() { h.signs = false }()
	if h.held() {
		h.comeBack()
	}
	files := maps.Clone(h.trees[h.head])
	for path, f := range files {
		f.entries = h.unexpired(f.entries)
		files[path] = f
	}
	h.push(h.commitOf(h.head, files))
	h.agree("what has expired is removed")
	h.note("the state is lost")
	h.halt()
	state, err := h.state(h.ctx)
	h.must(err)
	if len(state.Items) == 0 {
		h.t.Fatal("there is no state to lose")
	}
	for i := range state.Items {
		h.must(h.client.Delete(h.ctx, &state.Items[i]))
	}
	if h.random.IntN(2) == 0 {
		h.must(os.RemoveAll(filepath.Join(h.dir, "data")))
	}
	h.change(func() {
		for _, c := range h.clusters {
			c.good = nil
		}
	})
	h.judged[h.following].unsure = true // it answers for all files by now
	h.judged[h.following].fails, h.judged[h.following].foreign = false, nil
	h.must(h.world.start())
}

// damageState overwrites state while nothing runs: whatever is made of that,
// nothing changes by it; nor once it is mended.
func (h *history) damageState() {
	h.note("the state is damaged, and mended")
	h.halt()
	state, err := h.state(h.ctx)
	h.must(err)
	broken := state.Items[h.random.IntN(len(state.Items))].DeepCopy()
	for key, text := range broken.Data {
		broken.Data[key] = text[:len(text)/2]
	}
	h.must(h.client.Update(h.ctx, broken))
	if err := h.world.start(); err == nil {
		h.shortly()
	}
	for i := range state.Items {
		h.must(h.mend(&state.Items[i]))
	}
	h.must(h.world.start())
}

// shortly lets it run for as long as it does by itself, or some polls.
func (h *history) shortly() {
	from := h.git.asked()
	for deadline := time.Now().Add(time.Second); h.running() == nil && h.git.asked()-from < 3 && time.Now().Before(deadline); {
		time.Sleep(lookAtOnce)
	}
	h.halt()
}

// mend puts a ConfigMap back as it was.
func (h *history) mend(was *corev1.ConfigMap) error {
	now := &corev1.ConfigMap{}
	if err := h.client.Get(h.ctx, client.ObjectKeyFromObject(was), now); err != nil {
		return err
	}
	now.Data = was.Data
	return h.client.Update(h.ctx, now)
}
