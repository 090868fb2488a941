package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

func pushes(r servers.Request) bool {
	return r.Service == "git-receive-pack" && !strings.HasPrefix(r.UserAgent, "git/")
}

// TestRestartWritesNothing, be it with the mirror on disk or without.
func TestRestartWritesNothing(t *testing.T) {
	t.Parallel()
	p, first := begin(t, stage.Options{})
	p.await("the first check", p.Noted(first, stage.Failure, stage.Reports))
	// A file that is refused and one that is removed leave lists to keep.
	p.edit("acme/production.yaml", "203.0.113.0/24", "10.0.0.1/8")
	p.await("the refusal", p.Noted(p.head(), stage.Failure, "host-bits"))
	p.push(stage.Commit{Message: "Remove staging", Remove: []string{"acme/staging.yaml"}})
	p.await("the removal", p.Noted(p.head(), stage.Failure, "removed-allowlist"))
	p.settled()
	for _, lost := range []string{"nothing", "the mirrors"} {
		p.stop() // fails unless the exit code is 0
		if lost == "the mirrors" {
			p.must(os.RemoveAll(filepath.Join(filepath.Dir(p.Config), "data")))
		}
		writes, pushed := len(p.requests(written)), p.HTTP.Meter.Count(pushes)
		p.start()
		p.morePolls(3)
		if more := p.requests(written)[writes:]; len(more) > 0 {
			t.Errorf("with %s lost, a restart wrote to the seed:\n%s", lost, describe(more))
		}
		if more := p.HTTP.Meter.Count(pushes) - pushed; more > 0 {
			t.Errorf("with %s lost, a restart pushed notes %d times", lost, more)
		}
		p.holds(p.InForce(stage.ShopProd, stage.ProdList()...), p.InForce(stage.ShopStaging, stage.StagingList()...))
	}
	// What was kept is still put right.
	p.must(p.Dashboard(p.ctx, stage.ShopProd))
	p.must(p.Dashboard(p.ctx, stage.ShopDev, "0.0.0.0/0"))
	p.await("the lists that are kept", p.InForce(stage.ShopProd, stage.ProdList()...), p.InForce(stage.ShopDev, stage.StagingList()...))
}

// settled waits until a few polls went by without a write to the seed.
func (p *play) settled() {
	p.t.Helper()
	for before := -1; before != len(p.requests(written)); {
		before = len(p.requests(written))
		p.morePolls(3)
	}
}

func (p *play) head() string {
	p.t.Helper()
	sha, err := p.Head(p.ctx)
	p.must(err)
	return sha
}

// TestRewindIsNotFollowed forces the branch back, with another commit on top.
func TestRewindIsNotFollowed(t *testing.T) {
	t.Parallel()
	p, first := begin(t, stage.Options{})
	p.await("the first check", p.Noted(first, stage.Failure, stage.Reports))
	second := p.edit("acme/staging.yaml", "    - group: vpn", "    - {description: Graz office, cidr: 192.0.2.96/28}\n    - group: vpn")
	want := append(stage.StagingList(), "192.0.2.96/28")
	p.await("the second commit", p.InForce(stage.ShopStaging, want...), p.Noted(second, stage.Success))

	p.must(p.Rewind(p.ctx, first))
	p.edit("acme/staging.yaml", "203.0.113.0/24", "203.0.113.0/25")
	other := p.head()
	// The clone knows nothing of the second commit: its push is a forced one.
	p.await("the check of the rewind", p.Noted(other, stage.Failure, "held: rewinds", "portcullis approve customers@"+other))
	p.holds(p.InForce(stage.ShopStaging, want...))
	p.stop()
	p.start()
	p.morePolls(3)
	p.holds(p.InForce(stage.ShopStaging, want...), p.Noted(other, stage.Failure, "held: rewinds"))
	p.stop()
	p.must(os.RemoveAll(filepath.Join(filepath.Dir(p.Config), "data")))
	p.start() // and with the mirror lost, which knew the accepted commit
	p.morePolls(3)
	p.holds(p.InForce(stage.ShopStaging, want...), p.Noted(other, stage.Failure, "held: rewinds"))

	p.must(p.Rewind(p.ctx, second)) // forward again from where it was
	third := p.edit("acme/staging.yaml", "192.0.2.96/28", "192.0.2.112/28")
	p.await("what follows the second commit", p.Noted(third, stage.Success),
		p.InForce(stage.ShopStaging, append(stage.StagingList(), "192.0.2.112/28")...))
}

// TestSkippedCommitsAreSuperseded pushes three commits at once.
func TestSkippedCommitsAreSuperseded(t *testing.T) {
	t.Parallel()
	p, _ := begin(t, stage.Options{})
	original := productionOf(p)
	var commits []string
	for _, prefix := range []string{"192.0.2.112/28", "192.0.2.112/29", "192.0.2.112/30"} {
		text := strings.Replace(original, "    - group: vpn", "    - {description: Graz office, cidr: "+prefix+"}\n    - group: vpn", 1)
		sha, err := p.Commit(p.ctx, stage.Commit{Message: prefix, Write: map[string]string{"acme/production.yaml": text}})
		p.must(err)
		commits = append(commits, sha)
	}
	newest := p.push(stage.Commit{Message: "All of it"})
	p.await("the checks", p.Noted(newest, stage.Success),
		p.Noted(commits[0], stage.Success, "superseded by "+newest), p.Noted(commits[1], stage.Success, "superseded by "+newest),
		p.Noted(commits[2], stage.Success, "superseded by "+newest))
}

func productionOf(p *play) string {
	p.t.Helper()
	text, err := p.Read("acme/production.yaml")
	p.must(err)
	return text
}
