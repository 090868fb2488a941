package pulls_test

import (
	"slices"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/cmd/portcullis/pulls"
	"github.com/portcullis-gitops/portcullis/source/forge"
)

func (r *rig) wantLink(head, url string) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if got := r.checks[head].URL; got != url {
		r.t.Errorf("the check of %s leads to %q, want %q", head[:6], got, url)
	}
}

// TestChecksLeadToTheComment, or to the page that it is to be on, and no check
// is posted for its address alone; a restart does not forget it.
func TestChecksLeadToTheComment(t *testing.T) {
	h3 := sha("h3")
	bubble(t, func(r *rig) {
		begun(r)
		r.wantLink(h1, "https://git/1")
		if len(r.offers) != 1 {
			t.Errorf("it was offered %d times", len(r.offers))
		}
		r.propose(1, h2, bad("review: two"))
		r.poll()
		r.wantLink(h2, "https://git/1#said")
		r.stop()
		r.start()
		r.propose(1, h3, good("review: three"))
		r.poll()
		r.wantLink(h3, "https://git/1#said")

		r.ends(1, forge.PullRequestMerged, "main", m2)
		r.move(m2, h3)
		r.pass(minute)
		for commit, want := range map[string]string{m2: "https://git/1#said", h3: "https://git/1#said", m1: ""} {
			if got := r.desk.Spoken(commit); got != want {
				t.Errorf("%s is spoken of at %q, want %q", commit[:6], got, want)
			}
		}
	})
}

func TestChecksLeadToTheConsole(t *testing.T) {
	bubble(t, func(r *rig) {
		r.page = func(commit string) string { return "https://console/revisions/s/" + commit }
		begun(r)
		r.wantLink(h1, "https://console/revisions/s/"+h1)
	})
}

// TestWaitingIsNotInForce: a commit whose lists KKP has yet to hand on is a
// success, and the comment does not say more than that.
func TestWaitingIsNotInForce(t *testing.T) {
	bubble(t, func(r *rig) {
		begun(r)
		r.ends(1, forge.PullRequestMerged, "main", m2)
		waits := pulls.Verdict{Commit: m2, Final: true, Good: true, Waits: true, Title: "2 lists written, waiting for KKP", Identity: "waiting"}
		r.set(func() { r.verdicts[m2] = waits })
		r.move(m2, h1)
		r.pass(minute)
		r.wantComment(1, "**not yet in force on `eu-west`**: `2 lists written, waiting for KKP`")
		r.wantRecords(1)
		before := len(r.said)
		waits.Lines = "shop: Waiting, request 4712\n" // in other words the same
		r.set(func() { r.verdicts[m2] = waits })
		r.poll()
		if len(r.said) != before {
			t.Errorf("it was said again: %q", r.said)
		}
		r.set(func() { r.verdicts[m2] = inForce(m2) })
		r.poll()
		r.wantComment(1, "**in force on `eu-west`**")
		r.wantRecords(0)
	})
}

// TestWhatVariesIsNotSaidAgain: KKP's words hold versions and times.
func TestWhatVariesIsNotSaidAgain(t *testing.T) {
	t.Parallel()
	branch := one("acme/a.yaml", list("a", "eu-west", "shopprod01", "{"+office+"}"))
	change := one("acme/a.yaml", list("a", "eu-west", "shopprod01", "{"+office+"}", "{"+home+"}"))
	said := func(adjust func(*pulls.Input)) string { return judge(t, branch, change, adjust).Same }
	refused := func(words string) func(*pulls.Input) {
		return func(in *pulls.Input) {
			in.Refused = map[string]string{"shopprod01": "KKP refused the cluster: " + words}
		}
	}
	for name, c := range map[string]struct {
		a, b func(*pulls.Input)
		news bool
	}{
		"another branch":    {nil, func(in *pulls.Input) { in.Base = "cccccccccccccccccccc" }, false},
		"a later time":      {nil, func(in *pulls.Input) { in.Now = in.Now.Add(time.Hour) }, false},
		"another version":   {refused(`the object is at resourceVersion "4711" since 1m2s`), refused(`the object is at resourceVersion "4712" since 3.1s`), false},
		"another day":       {refused("no pod since Mon Nov 23 05:36:09 UTC 2026"), refused("no pod since Tue Nov 24 00:00:00 UTC 2026"), false},
		"another complaint": {refused("the CNI version is not supported"), refused("there is no such datacenter"), true},
		"refused by now":    {nil, refused("no"), true},
		"fewer were asked":  {func(in *pulls.Input) { in.Untried = 7 }, func(in *pulls.Input) { in.Untried = 8 }, false},
		"more keep silent":  {func(in *pulls.Input) { in.Unanswered = 1 }, func(in *pulls.Input) { in.Unanswered = 2 }, false},
		"it answers":        {func(in *pulls.Input) { in.Unanswered = 1 }, nil, true},
		"not all are asked": {nil, func(in *pulls.Input) { in.Untried = 8 }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if a, b := said(c.a), said(c.b); (a != b) != c.news {
				t.Errorf("news: %v\n%s\n%s", a != b, a, b)
			}
		})
	}
}

func TestAnnotationsAreBounded(t *testing.T) {
	t.Parallel()
	r := judge(t, nil, one("acme/a.yaml", list("a", "eu-west", "shopprod01", slices.Repeat([]string{"{" + broken + "}"}, 1500)...)), nil)
	all := pulls.Annotations(r.Findings)
	if len(all) != 1000 || slices.ContainsFunc(all, func(a forge.Annotation) bool { return !a.Failure }) {
		t.Errorf("%d annotations of %d findings", len(all), len(r.Findings))
	}
}
