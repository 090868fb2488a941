package forges_test

import (
	"cmp"
	stdcontext "context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/source/forge/gitea"
	"github.com/portcullis-gitops/portcullis/source/forge/wire"
	"github.com/portcullis-gitops/portcullis/test/forges"
	"github.com/portcullis-gitops/portcullis/test/servers"
)

func context() stdcontext.Context { return stdcontext.Background() }

// realGitea is one server for all tests of the package, stopped by TestMain.
// Its users are shared too: to make one takes a while.
var realGitea struct {
	once   sync.Once
	server *servers.Gitea
	robot  servers.GiteaUser
	err    error

	mu     sync.Mutex
	others map[string]servers.GiteaUser
}

func startRealGitea() {
	g := &realGitea
	if g.server, g.err = servers.StartGitea(context()); g.err != nil {
		return
	}
	g.others = map[string]servers.GiteaUser{}
	if g.robot, g.err = g.server.CreateUser(context(), "robot"); g.err != nil {
		return
	}
	// The very scopes that the documentation asks for.
	g.robot.Token, g.err = g.server.CreateToken(context(), g.robot, "forge", "write:repository", "write:issue", "read:user")
}

// otherUser is a user by that name, made if missing.
func otherUser(name string) (servers.GiteaUser, error) {
	g := &realGitea
	g.mu.Lock()
	defer g.mu.Unlock()
	if user, ok := g.others[name]; ok {
		return user, nil
	}
	user, err := g.server.CreateUser(context(), name)
	if err == nil {
		g.others[name] = user
	}
	return user, err
}

func TestMain(m *testing.M) {
	code := m.Run()
	if realGitea.server != nil {
		if err := realGitea.server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// names makes names that no other test has.
var names atomic.Int64

func fresh(what string) string { return fmt.Sprintf("%s-%d", what, names.Add(1)) }

// giteaHost is a repository on the real Gitea, with a user who is let in to
// write, and others.
type giteaHost struct {
	t      *testing.T
	server *servers.Gitea
	repo   string
	robot  servers.GiteaUser
	dir    string // a clone
	admin  *sdk.Client

	mu     sync.Mutex
	others map[string]servers.GiteaUser // who was let in
	branch map[int]string               // of a pull request
	fork   map[int]string               // URL to push to
	gate   *gate
}

func giteaByToken(t *testing.T) contender {
	t.Helper()
	servers.Need(t, "gitea")
	realGitea.once.Do(startRealGitea)
	if realGitea.err != nil {
		t.Fatal(realGitea.err)
	}
	g := newGiteaHost(t, realGitea.server)
	return contender{host: g, secrets: []string{g.robot.Token}, me: g.robot.Name, maxTitle: 255, many: 55,
		open: func(t *testing.T, change func(*wire.Options)) forge.PullRequests {
			o := gitea.Options{URL: g.gate.URL, Repository: g.server.Admin.Name + "/" + g.repo, TokenFile: secretFile(t, g.robot.Token)}
			if change != nil {
				change(&o)
			}
			f, err := gitea.New(o)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}}
}

func newGiteaHost(t *testing.T, server *servers.Gitea) *giteaHost {
	t.Helper()
	g := &giteaHost{t: t, server: server, repo: fresh("allowlists"), others: map[string]servers.GiteaUser{},
		branch: map[int]string{}, fork: map[int]string{}, dir: t.TempDir()}
	ctx := t.Context()
	g.robot = realGitea.robot
	g.must(server.CreateRepo(ctx, server.Admin.Name, g.repo))
	g.must(server.AddCollaborator(ctx, server.Admin.Name, g.repo, g.robot, sdk.AccessModeWrite))
	var err error
	g.admin, err = server.Client(context(), server.Admin)
	g.must(err)
	g.git("init", "--quiet", "--initial-branch=main")
	g.git("commit", "--quiet", "--allow-empty", "-m", "first")
	g.git("push", "--quiet", server.CloneURL(server.Admin, server.Admin.Name, g.repo), "main", "main:other")
	g.gate = newGate(t, server.URL)
	g.until("the first push is noticed", func() bool {
		repo, _, err := g.admin.GetRepo(server.Admin.Name, g.repo)
		return err == nil && !repo.Empty
	})
	return g
}

// until waits for what Gitea does beside its answers.
func (g *giteaHost) until(what string, done func() bool) {
	g.t.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			g.t.Fatalf("after a minute, not yet so: %s", what)
		}
	}
}

func (g *giteaHost) must(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

func (g *giteaHost) git(args ...string) string {
	g.t.Helper()
	cmd := exec.CommandContext(g.t.Context(), "git", args...)
	cmd.Dir = g.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com",
		"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
	out, err := cmd.CombinedOutput()
	if err != nil {
		g.t.Fatalf("git %s: %v: %s", args[0], err, out)
	}
	return strings.TrimSpace(string(out))
}

func (g *giteaHost) origin() string {
	return g.server.CloneURL(g.server.Admin, g.server.Admin.Name, g.repo)
}

// commitOn makes a commit on a branch, which is new or there already.
func (g *giteaHost) commitOn(branch, to string) string {
	g.t.Helper()
	if g.git("branch", "--list", branch) == "" {
		g.git("checkout", "--quiet", "-b", branch, "main")
	} else {
		g.git("checkout", "--quiet", branch)
	}
	name := fresh("file")
	g.must(os.WriteFile(filepath.Join(g.dir, name), []byte(name), 0o600))
	g.git("add", name)
	g.git("commit", "--quiet", "-m", name)
	g.git("push", "--quiet", to, branch)
	return g.git("rev-parse", "HEAD")
}

func (g *giteaHost) Commit() string { return g.commitOn("main", g.origin()) }

func (g *giteaHost) Statuses(commit string) []forges.Status {
	g.t.Helper()
	list, _, err := g.admin.ListStatuses(g.server.Admin.Name, g.repo, commit, sdk.ListStatusesOption{})
	g.must(err)
	slices.SortFunc(list, func(a, b *sdk.Status) int { return cmp.Compare(a.ID, b.ID) })
	var out []forges.Status
	for _, s := range list {
		out = append(out, forges.Status{Commit: commit, Context: s.Context, State: string(s.State), Title: s.Description, URL: s.TargetURL})
	}
	return out
}

// as is a client of a user by that name, who may read the repository.
func (g *giteaHost) as(name string) (servers.GiteaUser, *sdk.Client) {
	g.t.Helper()
	user, ok := g.others[name]
	if !ok {
		var err error
		user, err = otherUser(name)
		g.must(err)
		g.must(g.server.AddCollaborator(g.t.Context(), g.server.Admin.Name, g.repo, user, sdk.AccessModeWrite))
		g.others[name] = user
	}
	client, err := g.server.Client(context(), user)
	g.must(err)
	return user, client
}

func (g *giteaHost) Open(branch, target, author string, fork bool) forges.Pull {
	g.t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	user, client := g.as(author)
	to, head := g.origin(), branch
	if fork {
		name := fresh("fork")
		_, _, err := client.CreateFork(g.server.Admin.Name, g.repo, sdk.CreateForkOption{Name: &name})
		g.must(err)
		to, head = g.server.CloneURL(user, user.Name, name), user.Name+":"+branch
	}
	sha := g.commitOn(branch, to)
	pr, _, err := client.CreatePullRequest(g.server.Admin.Name, g.repo, sdk.CreatePullRequestOption{Head: head, Base: target, Title: branch})
	g.must(err)
	number := int(pr.Index)
	g.branch[number], g.fork[number] = branch, to
	return forges.Pull{Number: number, Head: sha, Branch: branch, Fork: fork, Target: target, Author: user.Name, State: "open"}
}

// OpenMany pushes all branches at once: each push starts programs.
func (g *giteaHost) OpenMany(n int, target, author string) (all []forges.Pull) {
	g.t.Helper()
	user, client := g.as(author)
	push := []string{"push", "--quiet", g.origin()}
	for i := range n {
		all = append(all, forges.Pull{Branch: fmt.Sprint("branch-", i), Target: target, Author: user.Name, State: "open",
			Head: g.git("commit-tree", "-p", "main", "-m", fmt.Sprint(i), "main^{tree}")})
		push = append(push, all[i].Head+":refs/heads/"+all[i].Branch)
	}
	g.git(push...)
	for i, p := range all {
		pr, _, err := client.CreatePullRequest(g.server.Admin.Name, g.repo, sdk.CreatePullRequestOption{Head: p.Branch, Base: target, Title: p.Branch})
		g.must(err)
		all[i].Number = int(pr.Index)
	}
	return all
}

func (g *giteaHost) Push(number int) string {
	g.t.Helper()
	return g.commitOn(g.branch[number], g.fork[number])
}

func (g *giteaHost) edit(number int, o sdk.EditPullRequestOption) {
	g.t.Helper()
	_, _, err := g.admin.EditPullRequest(g.server.Admin.Name, g.repo, int64(number), o)
	g.must(err)
}

func (g *giteaHost) Close(n int)  { g.edit(n, sdk.EditPullRequestOption{State: new(sdk.StateClosed)}) }
func (g *giteaHost) Reopen(n int) { g.edit(n, sdk.EditPullRequestOption{State: new(sdk.StateOpen)}) }
func (g *giteaHost) Retarget(n int, target string) {
	g.edit(n, sdk.EditPullRequestOption{Base: target})
}

// Merge waits until Gitea has found out whether it can be merged.
func (g *giteaHost) Merge(number int) string {
	g.t.Helper()
	g.until(fmt.Sprintf("pull request %d is merged", number), func() bool {
		ok, _, err := g.admin.MergePullRequest(g.server.Admin.Name, g.repo, int64(number), sdk.MergePullRequestOption{Style: sdk.MergeStyleMerge})
		return err == nil && ok
	})
	pr, _, err := g.admin.GetPullRequest(g.server.Admin.Name, g.repo, int64(number))
	g.must(err)
	return *pr.MergedCommitID
}

func (g *giteaHost) Say(number int, author, body string) {
	g.t.Helper()
	_, client := g.as(author)
	_, _, err := client.CreateIssueComment(g.server.Admin.Name, g.repo, int64(number), sdk.CreateIssueCommentOption{Body: body})
	g.must(err)
}

func (g *giteaHost) list(number int) []*sdk.Comment {
	g.t.Helper()
	list, _, err := g.admin.ListIssueComments(g.server.Admin.Name, g.repo, int64(number), sdk.ListIssueCommentOptions{})
	g.must(err)
	return list
}

func (g *giteaHost) Comments(number int) []forges.Comment {
	g.t.Helper()
	var out []forges.Comment
	for _, c := range g.list(number) {
		out = append(out, forges.Comment{ID: c.ID, Author: c.Poster.UserName, Body: c.Body})
	}
	return out
}

func (g *giteaHost) Uncomment(number int) {
	g.t.Helper()
	for _, c := range g.list(number) {
		_, err := g.admin.DeleteIssueComment(g.server.Admin.Name, g.repo, c.ID)
		g.must(err)
	}
}

func (g *giteaHost) Answer(h http.Handler) { g.gate.answer(h) }
