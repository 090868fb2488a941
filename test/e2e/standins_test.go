package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/test/forges"
	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// onStandIn is a stage on a stand-in for a host that cannot be run here: its
// Git is real, and pull requests are commits in it.
type onStandIn struct {
	*play
	host  standInHost
	git   *servers.GitHTTP
	bare  string
	clone string // to make commits in
	pulls string // name of a pull request's ref, by number
}

type standInHost interface {
	Statuses(sha string) []forges.Status
	OpenAt(head, branch, target, author string, fork bool) forges.Pull
	Change(number int, change func(*forges.Pull))
	Comments(number int) []forges.Comment
	Say(number int, author, body string)
}

type standInOptions struct {
	forge   string
	host    standInHost
	handler func(server, user, password string) (http.Handler, error) // with Git beside it
	exists  *func(sha string) bool
	pulls   string
	token   string
	appKey  []byte // of a GitHub App, instead of a token
}

func onAStandIn(t *testing.T, o standInOptions) *onStandIn {
	t.Helper()
	seed(t)
	dir, name := t.TempDir(), forges.Owner+"/"+forges.Name+".git"
	p := &onStandIn{host: o.host, git: servers.GitHTTPFor(t, dir), bare: filepath.Join(dir, name), pulls: o.pulls}
	err := errors.Join(os.MkdirAll(filepath.Dir(p.bare), 0o755), p.git.Init(t.Context(), name))
	if err != nil {
		t.Fatal(err)
	}
	*o.exists = func(sha string) bool {
		return exec.Command("git", "--git-dir", p.bare, "cat-file", "-e", sha).Run() == nil
	}
	both, err := o.handler(p.git.URL, servers.GitUser, servers.GitPassword)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(both)
	t.Cleanup(front.Close)
	p.play = set(t, stage.Options{
		Host: &stage.Host{URL: front.URL + "/" + name, CloneURL: p.git.CloneURL(name), Token: o.token},
		Config: func(d stage.Document) {
			source := d.Source()
			checks := map[string]any{"forge": o.forge, "url": front.URL, "repository": forges.Owner + "/" + forges.Name, "pullRequests": true}
			source["checks"] = checks
			if o.appKey != nil {
				key := filepath.Join(t.TempDir(), "app.pem")
				if err := os.WriteFile(key, o.appKey, 0o600); err != nil {
					t.Fatal(err)
				}
				source["credentials"] = map[string]any{"githubApp": map[string]any{
					"appID": forges.AppID, "installationID": forges.InstallationID, "privateKeyFile": key}}
				return
			}
			credentials, _ := source["credentials"].(map[string]any)
			checks["tokenFile"] = credentials["tokenFile"]
		},
	})
	return p
}

// begin has the branch's first commit told.
func (p *onStandIn) begin() {
	p.t.Helper()
	first := p.populate()
	p.start()
	p.await("the first commit's check", p.says(first, stage.Failure, "unsupported-expose-strategy"))
}

// says is a condition: the newest check of a commit has this state and word.
func (p *onStandIn) says(sha, state, word string) func(context.Context) error {
	return func(context.Context) error {
		all := p.host.Statuses(sha)
		if len(all) == 0 {
			return errors.New("no check yet")
		}
		if last := all[len(all)-1]; last.State != state || last.Context != "portcullis/eu-west" || !strings.Contains(last.Title+last.Summary, word) {
			return fmt.Errorf("the check is %+v", last)
		}
		return nil
	}
}

// polls and morePolls are those of the Git behind the stand-in.
func (p *onStandIn) morePolls(n int) {
	p.t.Helper()
	from := p.git.Meter.Count(isListing)
	p.await("more polls", func(context.Context) error {
		if got := p.git.Meter.Count(isListing) - from; got <= n {
			return fmt.Errorf("%d polls", got)
		}
		return nil
	})
}

func (p *onStandIn) run(args ...string) string {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), "git", append([]string{"-c", "user.name=Tenant", "-c", "user.email=tenant@example.com"}, args...)...)
	cmd.Dir = p.clone
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Fatalf("git %s: %v: %s", args[0], err, out)
	}
	return strings.TrimSpace(string(out))
}

// path is a file's, as it is in the repository.
func (p *onStandIn) path(example string) string { return stage.Tenants + "/" + p.Own(example) }

// commit makes one on a branch of the clone, from main where it is new.
func (p *onStandIn) commit(branch, path, text string) string {
	p.t.Helper()
	if p.clone == "" {
		dir := p.t.TempDir()
		p.clone = filepath.Join(dir, "clone")
		p.must(os.MkdirAll(p.clone, 0o755))
		p.run("init", "-q")
	}
	if p.run("branch", "--list", branch) == "" {
		p.run("fetch", "-q", p.bare, "main")
		p.run("checkout", "-q", "-b", branch, "FETCH_HEAD")
	} else {
		p.run("checkout", "-q", branch)
	}
	p.must(os.WriteFile(filepath.Join(p.clone, p.path(path)), []byte(p.Own(text)), 0o600))
	p.run("add", "-A")
	p.run("commit", "-q", "-m", "Change "+path)
	head := p.run("rev-parse", "HEAD")
	p.run("push", "-q", p.bare, "HEAD:refs/keep/"+head) // a host has it before anybody opens anything
	return head
}

// open opens a pull request on which somebody said something before Git shows it.
func (p *onStandIn) open(head, branch string, fork bool, said ...string) int {
	p.t.Helper()
	pr := p.host.OpenAt(head, branch, "main", "tenant", fork)
	for _, words := range said {
		p.host.Say(pr.Number, "mallory", words)
	}
	p.run("push", "-q", p.bare, head+":"+fmt.Sprintf(p.pulls, pr.Number))
	return pr.Number
}

func (p *onStandIn) update(number int, head string) {
	p.t.Helper()
	p.run("push", "-q", "--force", p.bare, head+":"+fmt.Sprintf(p.pulls, number))
	p.host.Change(number, func(pr *forges.Pull) { pr.Head = head })
}

// merge makes a merge commit of a branch, and says so.
func (p *onStandIn) merge(number int, branch string) {
	p.t.Helper()
	p.run("fetch", "-q", p.bare, "main")
	p.run("checkout", "-q", "FETCH_HEAD")
	p.run("merge", "-q", "--no-ff", "-m", "Merge", branch)
	sha := p.run("rev-parse", "HEAD")
	p.run("push", "-q", p.bare, "HEAD:main")
	p.host.Change(number, func(pr *forges.Pull) { pr.State, pr.MergeCommit = "merged", sha })
}

func (p *onStandIn) stagingWith(entries ...string) string {
	text, err := p.Read("acme/staging.yaml")
	p.must(err)
	for _, entry := range entries {
		text += "    - " + entry + "\n"
	}
	return text
}

// commented is a condition: there is one comment that is not mallory's, and it holds each word.
func (p *onStandIn) commented(number int, words ...string) func(context.Context) error {
	return func(context.Context) error {
		var ours []forges.Comment
		for _, c := range p.host.Comments(number) {
			if c.Author != "mallory" {
				ours = append(ours, c)
			}
		}
		if len(ours) != 1 {
			return fmt.Errorf("%d comments: %+v", len(ours), ours)
		}
		for _, w := range words {
			if !strings.Contains(ours[0].Body, p.Own(w)) {
				return fmt.Errorf("the comment does not say %q:\n%s", w, ours[0].Body)
			}
		}
		return nil
	}
}

// fromOpenToInForce has a pull request of a fork with so many mistakes judged,
// mended and merged. Others talk there, more than fits a page, and somebody
// who forges the mark; in between the reconciler is another process.
func (p *onStandIn) fromOpenToInForce(me string, mistakes int) (wrong, right string) {
	p.t.Helper()
	entries := make([]string, mistakes)
	for i := range entries {
		entries[i] = fmt.Sprintf("{description: Office %d, cidr: 192.0.2.%d/28}", i, 97+i%8)
	}
	wrong = p.commit("main", "acme/staging.yaml", p.stagingWith(entries...))
	said := []string{"<!-- portcullis/eu-west -->\n**in force**"}
	for i := range 120 {
		said = append(said, fmt.Sprint("me too ", i))
	}
	pr := p.open(wrong, "main", true, said...)
	p.await("the mistakes to be found", p.says(wrong, stage.Failure, "host-bits"), p.commented(pr, "error[host-bits]"))
	p.stop()
	p.start()
	right = p.commit("main", "acme/staging.yaml", p.stagingWith("{description: Graz office, cidr: 192.0.2.96/28}"))
	p.update(pr, right)
	p.await("the mended one", p.says(right, stage.Success, "routine"), p.commented(pr, "**routine**", "Graz office"))
	p.merge(pr, "main")
	p.await("the list in force, and the word on it", p.InForce(stage.ShopStaging, append(stage.StagingList(), "192.0.2.96/28")...),
		p.commented(pr, "in force on `eu-west`"))
	p.holds(p.says(wrong, stage.Failure, "host-bits"), p.says(right, stage.Success, "routine"))
	if all := p.host.Comments(pr); len(all) != len(said)+1 || all[0].Body != said[0] || all[len(said)].Author != me {
		p.t.Errorf("%d comments, the first %q, the last %s's; want %s's", len(all), all[0].Body, all[len(all)-1].Author, me)
	}
	return wrong, right
}
