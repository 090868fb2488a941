package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/test/stage"
)

// pullKills is how often the reconciler is killed while it judges a pull
// request.
func pullKills() int {
	if os.Getenv("PORTCULLIS_FAULTS") == "long" {
		return 200
	}
	return 10
}

// TestKilledWhileItJudgesPullRequests kills it at random moments after each of
// many updates of a pull request, right and wrong in turn. In the end there is
// one comment, and it is right; the newest status of each commit that has any is
// right; and a crash has cost one status more than needed at most.
func TestKilledWhileItJudgesPullRequests(t *testing.T) {
	t.Parallel()
	p := onGiteaWithPulls(t)
	seed, err := strconv.ParseUint(os.Getenv("PORTCULLIS_SEED"), 10, 64)
	if err != nil {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("PORTCULLIS_SEED=%d repeats this", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	first := p.populate()
	p.start()
	p.await("the first status", p.status(first, stage.Failure))
	states := map[string]string{}
	entry := func(i int) (string, string) {
		if i%2 == 1 {
			return fmt.Sprintf("{description: Graz office, cidr: 192.0.2.96/%d}", 8+i%16), stage.Failure
		}
		return fmt.Sprintf("{description: Graz office, cidr: 192.0.2.%d/32}", 64+i), stage.Success
	}
	text, state := entry(0)
	pr := p.propose("graz", "acme/staging.yaml", p.stagingWith(text))
	states[pr.Head.Sha] = state
	last := pr.Head.Sha
	for i := 1; i <= pullKills(); i++ {
		text, state = entry(i)
		last = p.change("graz", "acme/staging.yaml", p.stagingWith(text))
		states[last] = state
		time.Sleep(time.Duration(random.Int64N(int64(1500 * time.Millisecond)))) // any moment is one to be killed at
		p.must(p.Run.Kill())
		p.start()
	}
	p.await("the last one's status and comment", p.status(last, state), p.commented(pr.Index, strings.TrimSuffix(strings.Fields(text)[4], "}")))
	more := 0
	for sha, want := range states {
		all, err := p.statuses(t.Context(), sha)
		p.must(err)
		if len(all) > 0 && !strings.HasPrefix(all[0], want) {
			t.Errorf("the newest status of %s is %q, want %s", sha, all[0], want)
		}
		more += max(0, len(all)-1)
	}
	if more > pullKills() {
		t.Errorf("%d statuses more than needed, after %d kills", more, pullKills())
	}
}
