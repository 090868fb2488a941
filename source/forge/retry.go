package forge

import (
	"fmt"
	"time"
)

const (
	firstDelay = time.Second
	maxDelay   = 5 * time.Minute
	// maxRetryAfter bounds what a host, or something in front of it that
	// answers for it, can ask for: a report that is an hour late is still read.
	maxRetryAfter = time.Hour
)

// RetryAfterError is an answer of the host as a whole, not about one commit:
// it limits requests, or it knows the credentials no longer. Nothing at all is
// posted for After, an hour at most.
type RetryAfterError struct {
	After time.Duration
	Err   error
}

// Pause is how long nothing is asked of the host: After, an hour at most.
func (e RetryAfterError) Pause() time.Duration { return min(e.After, maxRetryAfter) }

// Error says what failed and how long the host is left alone.
func (e RetryAfterError) Error() string {
	return fmt.Sprintf("%v (trying again in %s)", e.Err, e.After)
}

// Unwrap gives the host's own answer.
func (e RetryAfterError) Unwrap() error { return e.Err }

// backoff is the delay after so many failures in a row, from 1: one second,
// doubled each time up to five minutes, then shortened by up to a fifth, so
// that the seeds of an installation do not come back all at once. random is in
// [0,1).
func backoff(failures int, random float64) time.Duration {
	d := firstDelay
	for i := 1; i < failures && d < maxDelay; i++ {
		d *= 2
	}
	d = min(d, maxDelay)
	return d - time.Duration(random*float64(d)/5)
}
