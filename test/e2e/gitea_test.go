package e2e_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// hosted is a stage whose repository is on Gitea, where its commits get
// statuses.
type hosted struct {
	*play
	server *servers.Gitea
	repo   string
}

// onGitea makes a stage with a repository of its own on the shared Gitea. The
// reconciler logs in as a user who may write there, and nowhere else. It
// reaches Git and API at the URL that by answers.
func onGitea(t *testing.T, by func(server string) (git, api string)) *hosted {
	t.Helper()
	seed(t) // skips before Gitea is started
	server, ctx, repo := gitea(t), t.Context(), "allowlists-"+suffix()
	robot, err := server.CreateUser(ctx, "robot-"+suffix())
	err = errors.Join(err, server.CreateRepo(ctx, server.Admin.Name, repo),
		server.AddCollaborator(ctx, server.Admin.Name, repo, robot, sdk.AccessModeWrite))
	if err != nil {
		t.Fatal(err)
	}
	git, api := by(server.URL)
	path := server.Admin.Name + "/" + repo
	h := &hosted{server: server, repo: repo}
	h.play = set(t, stage.Options{
		Host: &stage.Host{URL: git + "/" + path + ".git", CloneURL: server.CloneURL(server.Admin, server.Admin.Name, repo), Token: robot.Token},
		Config: func(d stage.Document) {
			source := d.Source()
			credentials, _ := source["credentials"].(map[string]any)
			source["checks"] = map[string]any{"forge": "gitea", "url": api, "repository": path, "tokenFile": credentials["tokenFile"]}
		},
	})
	return h
}

func direct(server string) (git, api string) { return server, server }

// statuses are all that were posted to a commit, the newest first, as
// "state: description".
func (h *hosted) statuses(ctx context.Context, sha string) ([]string, error) {
	client, err := h.server.Client(ctx, h.server.Admin)
	if err != nil {
		return nil, err
	}
	list, _, err := client.ListStatuses(h.server.Admin.Name, h.repo, sha, sdk.ListStatusesOption{
		ListOptions: sdk.ListOptions{PageSize: 50}})
	if err != nil {
		return nil, fmt.Errorf("list the statuses of %s: %w", sha, err)
	}
	slices.SortFunc(list, func(a, b *sdk.Status) int { return cmp.Compare(b.ID, a.ID) })
	var out []string
	for _, status := range list {
		if status.Context != "portcullis/eu-west" {
			return nil, fmt.Errorf("a status of another context: %q", status.Context)
		}
		out = append(out, string(status.State)+": "+status.Description)
	}
	return out, nil
}

// status is a condition: the newest status has this state, and its description
// holds each of the words.
func (h *hosted) status(sha, state string, words ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		all, err := h.statuses(ctx, sha)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			return errors.New("no status yet")
		}
		for _, word := range append(words, state+": ") {
			if !strings.Contains(all[0], word) {
				return fmt.Errorf("the status is %q, without %q", all[0], word)
			}
		}
		return nil
	}
}

func TestGiteaShowsHowCommitsWent(t *testing.T) {
	t.Parallel()
	h := onGitea(t, direct)
	first := h.populate()
	h.start()
	h.await("the first status", h.status(first, stage.Failure, "unsupported-expose-strategy"))

	good := h.edit("acme/staging.yaml", "    - group: vpn", "    - {description: Graz office, cidr: 192.0.2.96/28}\n    - group: vpn")
	h.await("the change", h.InForce(stage.ShopStaging, append(stage.StagingList(), "192.0.2.96/28")...),
		h.status(good, stage.Success))

	bad := h.edit("acme/production.yaml", "203.0.113.0/24", "10.0.0.1/8")
	h.await("the check of the bad file", h.status(bad, stage.Failure, h.place("acme/production.yaml", "10.0.0.1/8"), "host-bits"))
	next := h.edit(stage.GlobexProject+"/api.yaml", "192.0.2.128/28", "192.0.2.160/27")
	h.await("the other tenant's change", h.status(next, stage.Success))
	h.holds(h.status(bad, stage.Failure), h.InForce(stage.ShopProd, stage.ProdList()...))

	fixed := h.edit("acme/production.yaml", "10.0.0.1/8", "203.0.113.0/24")
	h.await("the corrected file", h.status(fixed, stage.Success))
	statuses, err := h.statuses(t.Context(), fixed)
	h.must(err)
	if len(statuses) > 2 { // pending and success
		t.Errorf("the same was posted more than once: %q", statuses)
	}
}

// TestGiteaAwayDelaysTheStatusAlone has the API away while Git goes on.
func TestGiteaAwayDelaysTheStatusAlone(t *testing.T) {
	t.Parallel()
	for name, restart := range map[string]bool{"and back": false, "and back after a restart": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var gate *stage.Gate
			h := onGitea(t, func(server string) (string, string) {
				gate = gateTo(t, server)
				return server, gate.URL
			})
			first := h.populate()
			h.start()
			h.await("the first status", h.status(first, stage.Failure))
			h.must(gate.Shut())
			sha := h.edit("acme/staging.yaml", "    - group: vpn", "    - {description: Graz office, cidr: 192.0.2.96/28}\n    - group: vpn")
			h.await("the change all the same", h.InForce(stage.ShopStaging, append(stage.StagingList(), "192.0.2.96/28")...))
			if statuses, err := h.statuses(t.Context(), sha); err != nil || len(statuses) > 0 {
				t.Errorf("while the way to the API is closed: %q (%v)", statuses, err)
			}
			if restart {
				h.stop()
				h.start()
			}
			h.must(gate.Open(t.Context()))
			h.await("the status", h.status(sha, stage.Success))
		})
	}
}

func gateTo(t *testing.T, server string) *stage.Gate {
	t.Helper()
	gate, err := stage.NewGate(server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := gate.Shut(); err != nil {
			t.Error(err)
		}
	})
	return gate
}

// TestGiteaHasWhatThePagesLinkTo: from a prefix to its line, from a cluster to the
// editor with its file, and from a draft to the editor with the text in it.
func TestGiteaHasWhatThePagesLinkTo(t *testing.T) {
	t.Parallel()
	h := onGitea(t, direct)
	first, address := h.populate(), freeAddress(t)
	h.start("--console-address", address)
	h.await("the first status", h.status(first, stage.Failure))
	cluster, file := "/clusters/"+h.Own(stage.ShopProd), stage.Tenants+"/acme/production.yaml"
	h.await("the pages", says(address, cluster, "Vienna office"), func(ctx context.Context) error {
		return h.server.Pushed(ctx, h.server.Admin.Name, h.repo)
	})
	const onMain = `Commit directly to the <strong class="branch-name">main</strong>`
	browser := h.signIn()
	for name, c := range map[string]struct {
		page string
		link *regexp.Regexp
		in   []string
	}{
		"the line of a prefix": {cluster, regexp.MustCompile(`href="([^"]+` + file + `)#L12"`), []string{`id="L12"`, "Vienna office", first[:10]}},
		"the file's editor":    {cluster, regexp.MustCompile(`href="([^"]+/_edit/[^"]+)"`), []string{"<textarea", "Vienna office", "production.yaml", `id="tree_path" name="tree_path" value="` + file + `"`, onMain}},
		"the commit":           {"/", regexp.MustCompile(`href="([^"]+/commit/[^"]+)"`), []string{first[:10], "Vienna office"}},
		"a draft's editor": {"/draft?tenant=acme&file=new/list.yaml&yaml=a", regexp.MustCompile(`href="([^"]+/_new/[^"]+)"`),
			[]string{"<textarea", `id="tree_path" name="tree_path" value="` + stage.Tenants + `/acme/new"`, `id="file-name" maxlength="255" value=""`, onMain}},
	} {
		page, err := read(h.ctx, address, c.page)
		h.must(err)
		found := c.link.FindStringSubmatch(page)
		if found == nil {
			t.Errorf("%s: %s has no link like %v:\n%s", name, c.page, c.link, page)
			continue
		}
		shown := browser(html.UnescapeString(found[1]))
		for _, text := range c.in {
			if !strings.Contains(shown, text) {
				t.Errorf("%s: %s does not show %q:\n%s", name, found[1], text, shown)
			}
		}
	}
}

// signIn is the admin in a browser: it answers what a page of the host shows.
func (h *hosted) signIn() func(address string) string {
	h.t.Helper()
	jar, err := cookiejar.New(nil)
	h.must(err)
	client := &http.Client{Jar: jar}
	ask := func(method, address, form string) string {
		h.t.Helper()
		request, err := http.NewRequestWithContext(h.ctx, method, address, strings.NewReader(form))
		h.must(err)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		response, err := client.Do(request)
		h.must(err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		h.must(err)
		if response.StatusCode != http.StatusOK {
			h.t.Errorf("%s %s: %s", method, address, response.Status)
		}
		return string(body)
	}
	admin := h.server.Admin
	ask(http.MethodPost, h.server.URL+"/user/login", url.Values{"user_name": {admin.Name}, "password": {admin.Password}}.Encode())
	return func(address string) string { return ask(http.MethodGet, address, "") }
}
