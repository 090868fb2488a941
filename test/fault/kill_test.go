package fault_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/test/stage"
)

// killed is how many clusters a rollout goes to that is interrupted.
const killed = 500

// atATime is how many clusters the command works on at a time: so many answers
// a kill can swallow.
const atATime = 8

// kills is how often the command is killed; PORTCULLIS_KILLS asks for another
// number.
func kills() int {
	if n, err := strconv.Atoi(os.Getenv("PORTCULLIS_KILLS")); err == nil {
		return n
	}
	if long() {
		return 200
	}
	return 10
}

// dice are those of PORTCULLIS_SEED, else others each time; a failure names them.
func dice(t *testing.T) *rand.Rand {
	t.Helper()
	seed, err := strconv.ParseUint(os.Getenv("PORTCULLIS_SEED"), 10, 64)
	if err != nil {
		seed = uint64(time.Now().UnixNano())
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("PORTCULLIS_SEED=%d repeats this", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 0))
}

// TestKilledAtAnyMoment kills the command again and again while it rolls out a
// new list to every cluster: before it has seen the commit, in the middle of the
// rollout, while it tells how that went.
func TestKilledAtAnyMoment(t *testing.T) {
	p := setBare(t, killed, 0, stage.Options{})
	random := dice(t)
	p.begin()
	commits, edition := []string{}, 0
	for done := 0; done < kills(); {
		edition++
		before := p.writes()
		commits = append(commits, p.push(edition))
		inThis := 1 + random.IntN(3) // those after the first hit the start that follows
		for range min(inThis, kills()-done) {
			p.killAt(edition, random.IntN(killed+1))
			p.start()
			done++
		}
		p.await("the end of the rollout", p.everywhere(edition), p.noted(commits[len(commits)-1]))
		p.few(before, inThis)
		p.settle(edition)
	}
	for i, sha := range commits[:len(commits)-1] { // what was set anew is nobody's news
		p.await(fmt.Sprintf("the check of edition %d", i+1), p.Noted(sha, stage.Success))
	}
}

// killAt kills the command once so many clusters, or all, carry an edition.
func (p *play) killAt(edition, clusters int) {
	p.t.Helper()
	p.await("the moment to kill", p.part(edition, clusters))
	p.must(p.Run.Kill())
}

// few fails where more writes were made than one to each cluster, and those
// that kills can have cost.
func (p *play) few(before map[string]int, kills int) {
	p.t.Helper()
	more := 0
	for id, n := range p.writes() {
		more += n - before[id]
	}
	if most := killed + kills*atATime; more > most {
		p.t.Errorf("%d writes to %d clusters, with %d kills: more than %d", more, killed, kills, most)
	}
	if more < killed {
		p.t.Errorf("%d writes to %d clusters: the audit log misses some", more, killed)
	}
}
