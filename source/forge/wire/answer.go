package wire

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/portcullis-gitops/portcullis/source/forge"
)

// Slowly is how long a host is left alone where it does not say itself: where
// the credentials do not do, for a person has to act, and a host may lock out
// who knocks too often; and where it limits requests.
const Slowly = time.Minute

// maxWords is how much of the host's own words an error holds, in characters.
const maxWords = 200

// Answer is what a host made of a request.
type Answer struct {
	Doing  string         // what was tried, such as "post a status to"
	On     fmt.Stringer   // the repository
	Resp   *http.Response // nil: none came
	Cause  error          // what the client made of it; may hold the host's words
	Secret string         // of the request
	Hint   string         // what the credentials need
	After  time.Duration  // for how long the host is to be left alone; 0: see Whole
}

// Failed says what was tried on what and what came of it.
func (a Answer) Failed() error {
	if a.Resp == nil {
		return fmt.Errorf("%s %s%s", a.Doing, a.On, Words(a.Cause, a.Secret))
	}
	return fmt.Errorf("%s %s: HTTP %d%s", a.Doing, a.On, a.Resp.StatusCode, Words(a.Cause, a.Secret))
}

// Whole is an error where the answer is the host's as a whole, and anything
// else would fare no better: none came, the host limits requests, it does not
// take the credentials, it redirects elsewhere, or something before it
// answered. It is nil for the rest.
func (a Answer) Whole() error {
	if a.Resp == nil {
		return a.Failed()
	}
	after := a.After
	if after == 0 {
		after = RetryAfter(a.Resp)
	}
	switch code := a.Resp.StatusCode; {
	case after > 0:
		return forge.RetryAfterError{After: after, Err: a.Failed()}
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return a.denied(a.Failed())
	case code >= 300 && code < 400:
		return fmt.Errorf("%w: redirected; are the host's URL and the repository's name right?", a.Failed())
	case code > http.StatusInternalServerError:
		return a.Failed()
	}
	return nil
}

func (a Answer) denied(err error) error {
	return forge.RetryAfterError{After: Slowly, Err: fmt.Errorf("%w; %s", err, a.Hint)}
}

// Unseen is the error of a repository that is not there for these credentials.
func (a Answer) Unseen() error {
	return a.denied(fmt.Errorf("%w: no such repository, or it may not be seen", a.Failed()))
}

// Want is nil for the wanted code, and an error for any other; one that wraps
// ErrRefused for those of final.
func (a Answer) Want(code int, final ...int) error {
	if a.Resp != nil && a.Resp.StatusCode == code && a.Cause == nil {
		return nil
	}
	if err := a.Whole(); err != nil {
		return err
	}
	if slices.Contains(final, a.Resp.StatusCode) {
		return fmt.Errorf("%w: %w", a.Failed(), forge.ErrRefused)
	}
	return a.Failed()
}

// Listed is nil for a listing. Where that is not there, the repository is not.
func (a Answer) Listed() error {
	if a.Resp != nil && a.Resp.StatusCode == http.StatusNotFound {
		return a.Unseen()
	}
	return a.Want(http.StatusOK)
}

// RetryAfter is what the header of that name asks for, in seconds or as a date
// (RFC 9110, 10.2.3); Slowly where a limit says no time; else zero.
func RetryAfter(resp *http.Response) time.Duration {
	value := resp.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil && seconds > 0 {
		return time.Duration(min(seconds, 24*60*60)) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return Until(resp, at)
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		return Slowly
	}
	return 0
}

// Until is how long it is to a time that the host named, by the host's own
// clock; a second at least, and Slowly where the host does not tell its time.
func Until(resp *http.Response, at time.Time) time.Duration {
	now, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return Slowly
	}
	return max(time.Second, at.Sub(now))
}

// Words are the host's own, on one line and cut. Something between may have
// answered with the whole request, secret included.
func Words(cause error, secrets ...string) string {
	if cause == nil {
		return ""
	}
	text := cause.Error()
	for _, s := range secrets {
		if s != "" {
			text = strings.ReplaceAll(text, s, "[token]")
		}
	}
	return ": " + forge.Cut(text, maxWords)
}
