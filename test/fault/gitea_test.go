package fault_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// forgeFaults are those of Gitea's API alone; Git over HTTP goes on.
func forgeFaults() []gitFault {
	return []gitFault{
		{name: "hangs up", fault: hangUp},
		{name: "500", fault: answer(http.StatusInternalServerError, "{}")},
		{name: "429 with Retry-After", fault: func(w http.ResponseWriter, r *http.Request, server http.Handler, ended <-chan struct{}) {
			w.Header().Set("Retry-After", "2")
			answer(http.StatusTooManyRequests, "{}")(w, r, server, ended)
		}},
		{name: "502 with a page", fault: answer(http.StatusBadGateway, "<html>bad gateway</html>")},
		{name: "silent", fault: servers.Silent},
		{name: "slow", fault: servers.Late(2 * time.Second)},
		{name: "posted, and not heard of", fault: servers.Most(2, servers.Unheard)},
	}
}

// hosted is a play whose repository is on Gitea.
type hosted struct {
	*play
	gitea *servers.Gitea
	repo  string
}

// onGitea makes a stage with a repository on Gitea, where commits are told by
// statuses.
func onGitea(t *testing.T) *hosted {
	t.Helper()
	servers.Need(t, "etcd", "kube-apiserver", "gitea")
	server, err := shared.gitea()
	if err != nil {
		t.Fatal(err)
	}
	ctx, repo := t.Context(), "faults-"+suffix()
	if err := server.CreateRepo(ctx, server.Admin.Name, repo); err != nil {
		t.Fatal(err)
	}
	path := server.Admin.Name + "/" + repo
	return &hosted{gitea: server, repo: repo, play: set(t, 5, 0, stage.Options{
		Host: &stage.Host{URL: server.RepoURL(server.Admin.Name, repo), CloneURL: server.CloneURL(server.Admin, server.Admin.Name, repo), Token: server.Admin.Token},
		Config: func(d stage.Document) {
			source := d.Source()
			credentials, _ := source["credentials"].(map[string]any)
			source["checks"] = map[string]any{"forge": "gitea", "url": server.URL, "repository": path, "tokenFile": credentials["tokenFile"]}
		},
	})}
}

// status is a condition: the newest status of a commit says that its lists are
// in force. A fault may have it there twice; what counts is the newest.
func (h *hosted) status(sha string) func(context.Context) error {
	return func(ctx context.Context) error {
		client, err := h.gitea.Client(ctx, h.gitea.Admin)
		if err != nil {
			return err
		}
		list, _, err := client.ListStatuses(h.gitea.Admin.Name, h.repo, sha, sdk.ListStatusesOption{})
		if err != nil || len(list) == 0 {
			return errors.Join(err, errors.New("no status yet"))
		}
		newest := slices.MaxFunc(list, func(a, b *sdk.Status) int { return cmp.Compare(a.ID, b.ID) })
		if string(newest.State) != stage.Success || !strings.Contains(newest.Description, "lists in force") {
			return fmt.Errorf("the newest of %d statuses is %s: %s", len(list), newest.State, newest.Description)
		}
		return nil
	}
}

// TestForgeFails while commits are to be told how they went: the lists do not
// wait for that, and each commit is told in the end, over a restart too.
func TestForgeFails(t *testing.T) {
	t.Parallel()
	h := onGitea(t)
	_, err := h.Push(h.ctx, h.change(0))
	h.must(err)
	h.start()
	h.await("the first edition", h.everywhere(0))
	for i, f := range forgeFaults() {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restarted: %t", f.name, restart), func(t *testing.T) {
				part := &hosted{h.in(t), h.gitea, h.repo}
				edition := 2*i + 1
				if restart {
					edition++
				}
				var met atomic.Int64
				h.gitea.Meter.Fault(servers.On(h.ofItsStatuses, func(w http.ResponseWriter, r *http.Request, server http.Handler, ended <-chan struct{}) {
					met.Add(1)
					f.fault(w, r, server, ended)
				}))
				defer h.gitea.Meter.Fault(nil)
				part.forgeFails(&met, edition, restart)
			})
		}
	}
}

func (h *hosted) forgeFails(met *atomic.Int64, edition int, restart bool) {
	h.t.Helper()
	before := h.writes()
	sha, err := h.Push(h.ctx, h.change(edition))
	h.must(err)
	h.await("the lists all the same", h.everywhere(edition))
	h.await("the fault", func(context.Context) error {
		if met.Load() == 0 {
			return errors.New("it has befallen nobody")
		}
		return nil
	})
	if restart {
		h.must(h.Run.Kill())
		h.start()
	}
	h.gitea.Meter.Fault(nil)
	h.await("the status", h.status(sha))
	h.needed(before, nil, 0)
	h.settle(edition)
}

// ofItsStatuses picks what is posted about commits of this repository.
func (h *hosted) ofItsStatuses(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.Contains(r.URL.Path, "/repos/"+h.gitea.Admin.Name+"/"+h.repo+"/statuses/")
}
