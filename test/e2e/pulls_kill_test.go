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
// many updates of a pull request, right and wrong in turn. After each crash the
// newest status of every commit is the right one, there is one comment, and no
// commit was told the same more than once again.
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
	told := tales{first: {state: stage.Failure}}
	entry := func(i int) (text, state, words string) {
		if i%2 == 1 {
			cidr := fmt.Sprintf("192.0.2.96/%d", 8+i%16)
			return "{description: Graz office, cidr: " + cidr + "}", stage.Failure, cidr
		}
		cidr := fmt.Sprintf("192.0.2.%d/32", 64+i%190)
		return "{description: Graz office, cidr: " + cidr + "}", stage.Success, cidr
	}
	text, state, _ := entry(0)
	pr := p.propose("graz", "acme/staging.yaml", p.stagingWith(text))
	told[pr.Head.Sha] = &tale{state: state}
	for i := 1; i <= pullKills(); i++ {
		text, state, words := entry(i)
		head := p.change("graz", "acme/staging.yaml", p.stagingWith(text))
		told[head] = &tale{state: state}
		time.Sleep(time.Duration(random.Int64N(int64(3 * time.Second)))) // any moment is one to be killed at
		p.must(p.Run.Kill())
		p.start()
		p.await("status and comment of the newest", p.status(head, state), p.commented(pr.Index, words))
		p.judge(told, fmt.Sprintf("crash %d", i))
	}
	p.stop() // and what is under way is done
	p.judge(told, "the end")
}

// tales are what commits were told, by SHA.
type tales map[string]*tale

type tale struct {
	state   string // that the newest has to have
	repeats int    // statuses so far that say what the one before them said
}

// judge fails where the newest status of a commit is not the right one, or it
// was told the same twice more since the last time. One that was overtaken
// before it was told anything need not be told.
func (p *withPulls) judge(told tales, when string) {
	p.t.Helper()
	for sha, tale := range told {
		all, err := p.statuses(p.ctx, sha)
		p.must(err)
		if len(all) > 0 && !strings.HasPrefix(all[0], tale.state+": ") {
			p.t.Errorf("%s: the newest status of %s is %q, want %s", when, sha, all[0], tale.state)
		}
		repeats := 0
		for i := 1; i < len(all); i++ {
			if all[i] == all[i-1] {
				repeats++
			}
		}
		if repeats > tale.repeats+1 {
			p.t.Errorf("%s: commit %s was told the same again %d times: %q", when, sha, repeats-tale.repeats, all)
		}
		tale.repeats = repeats
	}
}
