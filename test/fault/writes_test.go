package fault_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// mostStateWrites is what a commit may cost the state.
const mostStateWrites = 3

const brokenPath = "acme/broken.yaml"

// TestCommitCostsFewWrites, whatever is in it: one to each Cluster changed, and
// three to the state.
func TestCommitCostsFewWrites(t *testing.T) {
	t.Parallel()
	p := set(t, 5, 0, stage.Options{})
	p.begin()
	broken := strings.NewReplacer("name: fleet", "name: broken", "203.0.113.", "203.0.113.0/", "/32", "").Replace(p.file(7))
	for i, c := range []struct {
		name  string
		more  stage.Commit
		state string
	}{
		{"a change", stage.Commit{}, stage.Success},
		{"a change beside a new file that is wrong", stage.Commit{Write: map[string]string{brokenPath: broken}}, stage.Failure},
		{"a change beside the removal of that", stage.Commit{Remove: []string{brokenPath}}, stage.Success},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := p.in(t)
			p.quiet()
			before, state := p.writes(), len(p.stateWrites())
			change := p.change(i + 1)
			for path, text := range c.more.Write {
				change.Write[path] = text
			}
			change.Remove = c.more.Remove
			sha, err := p.Push(p.ctx, change)
			p.must(err)
			p.await("the commit", p.everywhere(i+1), p.Noted(sha, c.state))
			p.quiet()
			if writes := p.stateWrites()[state:]; len(writes) > mostStateWrites {
				t.Errorf("the state was written %d times:\n%s", len(writes), strings.Join(writes, "\n"))
			}
			p.needed(before, nil, 0)
			p.settle(i + 1)
		})
	}
}

// stateWrites are the requests that changed ConfigMaps.
func (p *play) stateWrites() (out []string) {
	p.t.Helper()
	events, err := p.Seed.Plane.Audited(func(e servers.AuditEvent) bool {
		return e.User.Username == p.User && e.Stage == "ResponseComplete" && e.ObjectRef.Resource == "configmaps" &&
			e.Verb != "get" && e.Verb != "list" && e.Verb != "watch" && e.ResponseStatus.Code < 300
	})
	p.must(err)
	for _, e := range events {
		out = append(out, fmt.Sprintf("%s %s %s", e.Time.Format("15:04:05.000"), e.Verb, e.ObjectRef.Name))
	}
	return out
}

// quiet waits until some polls went by without a write.
func (p *play) quiet() {
	p.t.Helper()
	for before := -1; before != len(p.stateWrites()); {
		before = len(p.stateWrites())
		p.morePolls(3)
	}
}

// morePolls waits until the command has polled so many more times.
func (p *play) morePolls(n int) {
	p.t.Helper()
	polls := func() int {
		return p.HTTP.Meter.Count(func(r servers.Request) bool {
			return r.Service == "git-upload-pack" && !strings.HasPrefix(r.UserAgent, "git/2.")
		})
	}
	from := polls()
	p.await("more polls", func(context.Context) error {
		if got := polls() - from; got <= n {
			return fmt.Errorf("%d polls", got)
		}
		return nil
	})
}
