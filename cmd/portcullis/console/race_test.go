package console_test

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// TestWhilePlansChange reads every page, all at once, while the world becomes
// another one again and again. Each page is of one world or of the other.
func TestWhilePlansChange(t *testing.T) {
	t.Parallel()
	r := serve(t, limited())
	moved := map[string]string{}
	for path, text := range files {
		moved[path] = strings.ReplaceAll(text, "203.0.113.0/24", "198.51.100.128/25")
	}
	one, other := world(t, files), world(t, moved)
	other.States = map[string]apply.ClusterState{"shopprod01": {State: apply.Applied, Message: "written"}}
	end := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-end:
				return
			default:
			}
			next := one // a copy: another world by its address
			if i%2 == 0 {
				next = other
			}
			r.world.Store(&next)
			r.passed.Add(int64(time.Minute))
		}
	})
	var readers sync.WaitGroup
	for i := range 6 {
		groups := []string{"ops", "kkp-acmeproj1,kkp-acmeproj2", "kkp-globex"}[i%3]
		readers.Go(func() {
			for range 15 {
				for _, path := range []string{"/", "/clusters/shopprod01", "/api/v1/status", "/explain?cluster=shopprod01&address=203.0.113.1", "/revisions/customers/" + accepted, "/draft?tenant=acme"} {
					if err := whole(r.get(t, path, "X-Groups", groups), path); err != nil {
						t.Error(err)
					}
				}
				post(t, r, "/draft/check", url.Values{"tenant": {"acme"}, "yaml": {files["tenants/acme/prod.yaml"]}}, "X-Groups", groups)
			}
		})
	}
	readers.Wait()
	close(end)
	all.Wait()
}

// whole fails where an answer is of both worlds, or of none.
func whole(g got, path string) error {
	if g.status != 200 && g.status != 404 {
		return fmt.Errorf("%s: %d", path, g.status)
	}
	if strings.HasPrefix(path, "/clusters/") && g.status == 200 {
		entries, _, _ := strings.Cut(g.body, "Added by KKP")
		if strings.Contains(entries, "203.0.113.0/24") == strings.Contains(entries, "198.51.100.128/25") {
			return fmt.Errorf("%s is of both worlds", path)
		}
	}
	return nil
}

// TestNewsIsShown: what is shown is as old as it may be, and no older.
func TestNewsIsShown(t *testing.T) {
	t.Parallel()
	r := serve(t, policy.Console{})
	mentions(t, r.get(t, "/?state=Synced"), "2 of 5 clusters")
	next := world(t, files)
	next.States["shopprod01"] = apply.ClusterState{State: apply.Contested, Message: "fought over"}
	r.world.Store(&next)
	r.passed.Add(int64(2 * time.Second))
	mentions(t, r.get(t, "/?state=Contested"), "1 of 5 clusters", "fought over")
}
