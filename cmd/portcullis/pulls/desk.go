package pulls

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/source"
	"github.com/portcullis-gitops/portcullis/source/forge"
)

// Repository is what a desk reads of Git.
type Repository interface {
	// Pulls are the heads as the last poll told them.
	Pulls() source.Pulls
	// Follow says which are open: polls need not look at the others.
	Follow(open []int)
	Pull(ctx context.Context, number int, head string) (Fetched, error)
}

// Fetched is what a pull request brings; a source.Pull is one.
type Fetched interface {
	Lay(ctx context.Context, target string) (*source.Laid, error)
	Read(ctx context.Context, hash string) ([]byte, error)
	Size() int64 // in bytes of memory
	Close()
}

// World is what pull requests are judged against. A desk is given a new one
// whenever one of its parts is another.
type World struct {
	Target string // newest commit of the branch
	// Judge judges what is laid over the target. It is called from the desk's
	// goroutine alone.
	Judge func(ctx context.Context, laid *source.Laid, pull Fetched) (Result, error)
}

// Verdict is how a commit of the branch went, for the pull request that it
// brought in.
type Verdict struct {
	Commit string // that was judged: the merge commit, or one after it
	Final  bool
	Good   bool
	// Waits is set where what is good is not in force yet: KKP is to do its part.
	Waits bool
	Title string
	// Findings are those that decided, and Lines the clusters with their states.
	Findings []lint.Finding
	Lines    string
	// Identity is what makes it news, see outcome.Verdict.
	Identity string
	// Held is set where the commit is not followed, so that another may be
	// judged in its place.
	Held bool
	// Over is set where no news of the commit can come any more: none of its
	// lists is the newest.
	Over bool
}

// Record is what outlives the process of a pull request.
type Record = apply.PullRecord

// Options are a desk's.
type Options struct {
	Forge      forge.PullRequests
	Repository Repository
	Context    string // of checks: portcullis/<seed>
	Seed       string
	Branch     string // that pull requests go to
	DenyForks  bool
	// Offer hands a check to the outbox, unless its commit is the branch's: that
	// one's own verdict wins. It tells which, and nothing comes in between.
	Offer func(forge.Check) bool
	// Verdict of the commit that brought a pull request's merge commit in; false
	// where there is none yet. told is the commit whose verdict was told before,
	// if any: then it is of that one, and of none that came later.
	Verdict func(ctx context.Context, merge, told string) (Verdict, bool)
	// Save writes the records down, by number.
	Save func(ctx context.Context, records map[string]Record) error
	// Page is where the console shows a commit; empty, or nil, where it is not
	// to be reached.
	Page func(commit string) string
	Now  func() time.Time
	Log  logr.Logger
}

// Desk follows the open pull requests of one source: it asks the Git host which
// there are when something moved, judges them, and keeps check and comment of
// each as they should be. It asks nothing while nothing moves, but for a
// listing every ten minutes. Whatever fails is tried again, with growing
// pauses, and holds up nobody else.
type Desk struct {
	Options
	wake chan struct{}

	mu    sync.Mutex
	world *World
	stale bool            // a webhook said that something is another
	other bool            // clusters are others than they were
	told  map[string]bool // contents of the checks that were offered; true once delivered

	judgedNow atomic.Pointer[map[string]Judged] // by head, for the pages
	// places are the comments that commits are spoken of in, by commit.
	places map[string]string

	// What follows is Run's alone.
	open     map[int]*entry
	merged   map[int]*entry
	over     map[string]Record // merged ones of which no news can come
	seen     source.Pulls      // heads as of the last listing
	target   string            // branch as of the last listing
	listed   time.Time
	again    []time.Time // when to list once more: hosts say of a merge after Git does
	moved    time.Time   // when the branch was last found to have moved
	failures int         // of listings, in a row
	retry    time.Time   // no listing before
	quiet    time.Time   // nothing is asked of the Git host before: it wants to be left alone
	// After one failure upon another nothing is judged, or commented on, before.
	judging, saying time.Time
	unsayable       int       // comments that failed in a row
	offered         time.Time // when checks were last offered
	saved           map[string]Record
	unsaved         time.Time // when to write them down again; zero where they are
}

// After the branch moved the Git host may take a while to know why: a push that
// is a merge is in Git before the pull request is closed, and a new pull
// request's head before it is listed.
var afterMove = [...]time.Duration{3 * time.Second, 15 * time.Second, settling}

const settling = 45 * time.Second

const (
	listEvery               = 10 * time.Minute // between two listings while nothing moves
	firstPause, longestTime = 5 * time.Second, 5 * time.Minute
	tellEvery               = time.Second // while many are judged
	// mostFailures in a row end a pass over the pull requests: it is the host.
	mostFailures = 3
)

// NewDesk makes a desk that takes up what an earlier process wrote down.
func NewDesk(o Options, records map[string]Record) *Desk {
	d := &Desk{Options: o, wake: make(chan struct{}, 1), told: map[string]bool{}, places: map[string]string{},
		open: map[int]*entry{}, merged: map[int]*entry{}, over: map[string]Record{}, saved: records}
	for name, r := range records {
		number, err := strconv.Atoi(name)
		if err != nil {
			continue // not ours
		}
		e := &entry{Record: r, number: number}
		if r.Merged != "" {
			d.merged[number] = e
		} else {
			d.open[number] = e
		}
		d.place(e)
	}
	return d
}

// Look has the pull requests judged against another world.
func (d *Desk) Look(w *World) {
	d.mu.Lock()
	d.world = w
	d.mu.Unlock()
	d.Wake()
}

// Wake has the desk look whether there is something to do.
func (d *Desk) Wake() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// Hint has the Git host asked anew which pull requests there are.
func (d *Desk) Hint() {
	d.setStale(true)
	d.Wake()
}

// Reconsider has those judged again whose fault may be gone, for the clusters of
// the seed have changed: one was made, say, or has a load balancer by now.
func (d *Desk) Reconsider() {
	d.mu.Lock()
	d.other = true
	d.mu.Unlock()
	d.Wake()
}

func (d *Desk) setStale(stale bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stale = stale
}

// Delivered notes that a check is on the Git host, and tells whether it was one
// of a pull request.
func (d *Desk) Delivered(hash string) bool {
	d.mu.Lock()
	_, own := d.told[hash]
	if own {
		d.told[hash] = true
	}
	d.mu.Unlock()
	if own {
		d.Wake()
	}
	return own
}

func (d *Desk) now() *World {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.world
}

// Run works until ctx ends.
func (d *Desk) Run(ctx context.Context) error {
	for {
		next := d.round(ctx)
		timer := time.NewTimer(max(next.Sub(d.Now()), 10*time.Millisecond))
		select {
		case <-ctx.Done():
			timer.Stop()
			d.close()
			return nil
		case <-d.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (d *Desk) close() {
	for _, e := range d.open {
		e.drop()
	}
}

// round does what there is to do, and answers when to look again. Checks come
// before comments, so that a host which takes no comments holds up no check.
func (d *Desk) round(ctx context.Context) time.Time {
	if d.now() == nil {
		return d.Now().Add(listEvery)
	}
	if d.mustList() && !d.Now().Before(latest(d.retry, d.quiet)) {
		d.list(ctx)
	}
	d.reconsider()
	d.judgeAll(ctx)
	d.tell(ctx)
	d.commentAll(ctx)
	d.save(ctx)
	d.publish()
	return d.next()
}

// next is when something is to be done even if nothing happens.
func (d *Desk) next() time.Time {
	now := d.Now()
	next := d.listed.Add(listEvery)
	if len(d.again) > 0 {
		next = d.again[0]
	}
	if d.mustList() {
		next = latest(now, d.retry, d.quiet)
	}
	for _, e := range d.open {
		if !e.askAt.IsZero() && !e.away {
			next = earliest(next, latest(e.askAt, e.retry, d.judging))
		}
		if d.due(e) {
			next = earliest(next, latest(e.retry, d.judging))
		}
		if e.judged != "" && d.unsaid(e) {
			next = earliest(next, latest(e.retry, d.quiet, d.saying))
		}
	}
	for _, e := range d.merged {
		if e.retry.After(now) {
			next = earliest(next, latest(e.retry, d.quiet, d.saying))
		}
	}
	if !d.unsaved.IsZero() {
		next = earliest(next, d.unsaved)
	}
	return next
}

func latest(times ...time.Time) time.Time   { return slices.MaxFunc(times, time.Time.Compare) }
func earliest(times ...time.Time) time.Time { return slices.MinFunc(times, time.Time.Compare) }

// pause is how long to wait after so many failures; a host that says how long
// is believed, up to an hour.
func pause(failures int, err error) time.Duration {
	wait := min(firstPause<<min(failures-1, 10), longestTime)
	if asked, ok := errors.AsType[forge.RetryAfterError](err); ok {
		wait = max(wait, asked.Pause())
	}
	return wait
}

// heed leaves the Git host alone for as long as it asks to be, an hour at most.
func (d *Desk) heed(err error) {
	if asked, ok := errors.AsType[forge.RetryAfterError](err); ok {
		d.quiet = latest(d.quiet, d.Now().Add(asked.Pause()))
	}
}
