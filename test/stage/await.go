package stage

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// lookAgain is how long to wait before a condition is looked at again.
const lookAgain = 50 * time.Millisecond

// ErrNever is wrapped where a condition did not come true in time.
var ErrNever = errors.New("did not come true")

// Await looks at a condition again and again until it holds, which is when it
// returns nil. After the patience, or at the end of ctx, the error tells what
// was waited for and what was still wrong.
func Await(ctx context.Context, what string, patience time.Duration, condition func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	last := errors.New("not looked at")
	for {
		err := condition(limited)
		if err == nil {
			return nil
		}
		if limited.Err() == nil { // else it is only that the time was up
			last = err
		}
		select {
		case <-limited.Done():
			return fmt.Errorf("%s: %w within %s: %w", what, ErrNever, patience, last)
		case <-again.C:
		}
	}
}
