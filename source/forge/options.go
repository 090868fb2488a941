package forge

import (
	"math/rand/v2"
	"time"

	"github.com/go-logr/logr"
)

// Clock is where an outbox takes its time from.
type Clock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
}

type wallClock struct{}

func (wallClock) Now() time.Time                         { return time.Now() }
func (wallClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// Options adjust an outbox. The zero value is fit for use.
type Options struct {
	Log    logr.Logger    // default: says nothing
	Clock  Clock          // default: the system's
	Random func() float64 // in [0,1), safe for use at once; default: math/rand/v2
	// Batch is how many checks are handed to the forge at once at most;
	// default 256. A note takes one push for all of them.
	Batch int
	// PostTimeout bounds one call of the forge, StoreTimeout one of the store;
	// defaults five minutes and 30 seconds.
	PostTimeout, StoreTimeout time.Duration
	// Grace is how long a post under way, and one last attempt, may go on
	// after the end of Run's context; default two seconds.
	Grace time.Duration
	// Remember is of how many commits the outbox knows what it delivered
	// last; default 20,000, about 3 MB. Older ones, offered again, would be
	// posted again.
	Remember int
}

func (o Options) withDefaults() Options {
	if o.Log.GetSink() == nil {
		o.Log = logr.Discard()
	}
	if o.Clock == nil {
		o.Clock = wallClock{}
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	orDefault(&o.Batch, 256)
	orDefault(&o.PostTimeout, 5*time.Minute)
	orDefault(&o.StoreTimeout, 30*time.Second)
	orDefault(&o.Grace, 2*time.Second)
	orDefault(&o.Remember, 20_000)
	return o
}

func orDefault[T int | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}
