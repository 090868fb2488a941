package wire

import (
	"net/http"
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
