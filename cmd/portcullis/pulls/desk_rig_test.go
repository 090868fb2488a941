package pulls_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"

	"github.com/portcullis-gitops/portcullis/cmd/portcullis/pulls"
	"github.com/portcullis-gitops/portcullis/source"
	"github.com/portcullis-gitops/portcullis/source/forge"
)

// rig is a desk between a Git host and a repository that are made up: what they
// tell is set, what they are told is read. Its clock is that of the bubble.
type rig struct {
	t    *testing.T
	desk *pulls.Desk
	end  context.CancelFunc
	done chan struct{}

	mu       sync.Mutex
	open     map[int]forge.PullRequest // as the host lists them
	rest     map[int]forge.PullRequest // closed, merged, for other branches
	heads    map[int]string            // as Git has them
	branch   []string                  // commits that are the branch's
	words    map[string]pulls.Result   // by head and target, or by head
	verdicts map[string]pulls.Verdict
	fail     map[string]error // by what is asked: list, comment 7, pull 7, save
	asked    []string         // of the host
	checks   map[string]forge.Check
	offers   []forge.Check
	comments map[int]string
	followed []int
	said     []string // comments in order
	records  map[string]pulls.Record
	known    map[string]string // contents by commit that a process began with
	deaf     bool              // what is posted is not heard of
	saves    int
	fetched  int
	judged   int
	world    *pulls.World
	forks    bool // denied
	page     func(commit string) string
}

func newRig(t *testing.T) *rig {
	return &rig{t: t, open: map[int]forge.PullRequest{}, rest: map[int]forge.PullRequest{}, heads: map[int]string{}, words: map[string]pulls.Result{},
		verdicts: map[string]pulls.Verdict{}, fail: map[string]error{}, checks: map[string]forge.Check{}, comments: map[int]string{}}
}

// bubble runs a story in which time passes when everybody waits.
func bubble(t *testing.T, story func(*rig)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		story(r)
		r.stop()
	})
}

func sha(word string) string {
	return fmt.Sprintf("%x%s", word, strings.Repeat("0", 40))[:40]
}

func (r *rig) start() {
	ctx, cancel := context.WithCancel(context.Background())
	r.mu.Lock()
	records := maps.Clone(r.records)
	world := r.world
	r.known = map[string]string{}
	for _, rec := range records {
		r.known[rec.Head] = rec.Check
	}
	r.mu.Unlock()
	r.desk = pulls.NewDesk(pulls.Options{Forge: r, Repository: r, Context: "portcullis/eu-west", Seed: "eu-west", Branch: "main", DenyForks: r.forks,
		Offer: r.offer, Verdict: r.verdict, Page: r.page, Save: r.save, Now: time.Now, Log: logr.Discard()}, records)
	r.end, r.done = cancel, make(chan struct{})
	go func(done chan struct{}) {
		defer close(done)
		_ = r.desk.Run(ctx)
	}(r.done)
	if world != nil {
		r.desk.Look(world)
	}
	synctest.Wait()
}

func (r *rig) stop() {
	if r.end != nil {
		r.end()
		<-r.done
		r.end = nil
	}
}

// set changes what the others tell, without a word to the desk.
func (r *rig) set(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
}

// poll is what a poll of the source leads to.
func (r *rig) poll() {
	r.desk.Wake()
	synctest.Wait()
}

// move brings the branch to another commit.
func (r *rig) move(target string, commits ...string) {
	r.mu.Lock()
	r.branch = append(append(r.branch, commits...), target)
	r.world = &pulls.World{Target: target, Judge: r.judge}
	w := r.world
	r.mu.Unlock()
	if r.end != nil {
		r.desk.Look(w)
		synctest.Wait()
	}
}

// propose opens a pull request.
func (r *rig) propose(number int, head string, result pulls.Result) {
	r.set(func() {
		r.open[number] = forge.PullRequest{Number: number, State: forge.PullRequestOpen, Head: head, Target: "main", URL: fmt.Sprint("https://git/", number)}
		r.heads[number], r.words[head] = head, result
	})
}

// ends has one not listed any more.
func (r *rig) ends(number int, state forge.PullRequestState, target, merge string) {
	r.set(func() {
		pr := r.open[number]
		delete(r.open, number)
		pr.State, pr.Target, pr.MergeCommit = state, target, merge
		r.rest[number] = pr
	})
}

func (r *rig) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func good(words string) pulls.Result {
	return pulls.Result{Title: words, Comment: words + "\n", Same: words}
}

func bad(words string) pulls.Result {
	return pulls.Result{Failure: true, Title: words, Comment: words + "\n", Same: words}
}

var naught = pulls.Judge(pulls.Input{Seed: "eu-west"})

// Repository.

func (r *rig) Pulls() source.Pulls {
	r.mu.Lock()
	defer r.mu.Unlock()
	return source.PullsOf(r.heads)
}

func (r *rig) Follow(open []int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.followed = slices.Sorted(slices.Values(open))
}

func (r *rig) wantFollowed(want ...int) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.followed, want) {
		r.t.Errorf("polls follow %v, want %v", r.followed, want)
	}
}

type fetched struct {
	r    *rig
	head string
}

func (r *rig) Pull(_ context.Context, number int, head string) (pulls.Fetched, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fetched++
	if err := r.fail[fmt.Sprint("pull ", number)]; err != nil {
		return nil, err
	}
	if r.heads[number] != head {
		return nil, source.ErrMoved
	}
	return fetched{r, head}, nil
}

func (f fetched) Lay(_ context.Context, target string) (*source.Laid, error) {
	return &source.Laid{Snapshot: &source.Snapshot{Commit: f.head}, Target: target}, nil
}
func (fetched) Read(context.Context, string) ([]byte, error) { return nil, errors.New("not here") }
func (fetched) Size() int64                                  { return 1 << 20 }
func (fetched) Close()                                       {}

func (r *rig) judge(_ context.Context, laid *source.Laid, _ pulls.Fetched) (pulls.Result, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.judged++
	if slices.Contains(r.branch, laid.Commit) {
		return naught, nil
	}
	if result, there := r.words[laid.Commit+laid.Target]; there {
		return result, nil
	}
	return r.words[laid.Commit], nil
}

func (r *rig) judgements() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.judged
}

// The Git host.

func (r *rig) ask(what string) error {
	r.asked = append(r.asked, what)
	word, _, _ := strings.Cut(what, " ")
	return errors.Join(r.fail[what], r.fail[word])
}

func (r *rig) OpenPullRequests(_ context.Context, target string) ([]forge.PullRequest, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.ask("list"); err != nil {
		return nil, err
	}
	var out []forge.PullRequest
	for _, number := range slices.Sorted(maps.Keys(r.open)) {
		if r.open[number].Target == target {
			out = append(out, r.open[number])
		}
	}
	return out, nil
}

func (r *rig) PullRequest(_ context.Context, number int) (forge.PullRequest, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.ask(fmt.Sprint("get ", number)); err != nil {
		return forge.PullRequest{}, err
	}
	if pr, there := r.rest[number]; there {
		return pr, nil
	}
	return forge.PullRequest{}, forge.ErrRefused
}

func (r *rig) Comment(_ context.Context, c forge.Comment) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.ask(fmt.Sprint("comment ", c.PullRequest)); err != nil {
		return "", err
	}
	if _, there := r.comments[c.PullRequest]; c.OnlyEdit && !there {
		return "", nil
	}
	r.comments[c.PullRequest] = c.Body
	r.said = append(r.said, fmt.Sprintf("%d: %s", c.PullRequest, strings.TrimSpace(c.Body)))
	return fmt.Sprintf("https://git/%d#said", c.PullRequest), nil
}

func (r *rig) Post(context.Context, []forge.Check) []error { return nil }

// The outbox, the loop and the state.

func (r *rig) offer(c forge.Check) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.Contains(r.branch, c.Commit) {
		return false
	}
	if r.known[c.Commit] == c.Hash() { // for all that an outbox knows
		return true
	}
	if rec := r.records[fmt.Sprint(c.PullRequest)]; rec.Head == c.Commit && rec.Check != "" {
		r.t.Errorf("%s is told %q, and the state says still that it was told another", c.Commit[:6], c.Title)
	}
	r.known[c.Commit] = c.Hash()
	r.offers = append(r.offers, c)
	r.checks[c.Commit] = c
	if !r.deaf {
		go r.desk.Delivered(c.Hash())
	}
	return true
}

func (r *rig) verdict(_ context.Context, merge, told string) (pulls.Verdict, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if told != "" {
		merge = told
	}
	v, known := r.verdicts[merge]
	return v, known
}

func (r *rig) save(_ context.Context, records map[string]pulls.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.fail["save"]; err != nil {
		return err
	}
	r.records = maps.Clone(records)
	r.saves++
	return nil
}

// What is seen from outside.

func (r *rig) wantCheck(head string, state forge.State, title string) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.checks[head]; c.State != state || c.Title != title {
		r.t.Errorf("the check of %s is %q %q, want %q %q", head[:6], c.State, c.Title, state, title)
	}
}

func (r *rig) wantComment(number int, words string) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if got := r.comments[number]; !strings.Contains(got, words) || (words == "") != (got == "") {
		r.t.Errorf("the comment of %d is %q, want %q", number, got, words)
	}
}

// count is how often the host was asked this, a word, since the last time.
func (r *rig) count(word string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, what := range r.asked {
		if w, _, _ := strings.Cut(what, " "); w == word || word == "" {
			n++
		}
	}
	r.asked = nil
	return n
}

func (r *rig) wantRecords(n int) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.records) != n {
		r.t.Errorf("%d records, want %d: %v", len(r.records), n, r.records)
	}
}
