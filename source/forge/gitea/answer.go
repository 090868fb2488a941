package gitea

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/portcullis-gitops/portcullis/source/forge"
)

// slowly is how long nothing is posted where the credentials do not do: a
// person has to act, and a host may lock out who knocks too often.
const slowly = time.Minute

// maxWords is how much of the host's own words an error holds, in characters.
const maxWords = 200

// judge makes an error of an answer other than 201; in outage too, where it is
// the host's as a whole.
func (f *Forge) judge(client session, c forge.Check, resp *http.Response, cause error) (err, outage error) {
	err = fmt.Errorf("post a status to %s: HTTP %d%s", f, resp.StatusCode, client.words(cause))
	switch code := resp.StatusCode; {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		err = f.credentials(err)
		return err, err
	case retryAfter(resp) > 0:
		err = forge.RetryAfterError{After: retryAfter(resp), Err: err}
		return err, err
	case code == http.StatusNotFound || code == http.StatusUnprocessableEntity || code == http.StatusInternalServerError:
		return f.examine(client, c, err)
	case code >= 300 && code < 400:
		err = fmt.Errorf("%w: redirected; are the host's URL and the repository's name right?", err)
		return err, err
	case code > http.StatusInternalServerError:
		return err, err
	}
	return err, nil
}

func (f *Forge) credentials(err error) error {
	return forge.RetryAfterError{After: slowly, Err: fmt.Errorf("%w; the token in %s needs the scope "+
		"write:repository, and its user the right to write code", err, f.tokenFile)}
}

// examine tells a commit that is gone from a repository that cannot be seen
// and from a host in trouble. Only the first is final.
func (f *Forge) examine(client session, c forge.Check, cause error) (err, outage error) {
	_, resp, _ := client.GetSingleCommit(f.owner, f.name, c.Commit)
	if resp == nil || resp.StatusCode != http.StatusNotFound {
		return cause, nil
	}
	_, resp, _ = client.GetRepo(f.owner, f.name)
	switch {
	case resp != nil && resp.StatusCode == http.StatusOK:
		return fmt.Errorf("%w: commit %s is not in the repository: %w", cause, c.Commit, forge.ErrRefused), nil
	case resp != nil && resp.StatusCode == http.StatusNotFound:
		err = f.credentials(fmt.Errorf("%w: no such repository, or the token may not see it", cause))
		return err, err
	}
	return cause, nil
}

// retryAfter is what the header of that name asks for, in seconds or as a
// date (RFC 9110, 10.2.3); a minute where a limit says no time; else zero.
func retryAfter(resp *http.Response) time.Duration {
	value := resp.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil && seconds > 0 {
		return time.Duration(min(seconds, 24*60*60)) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		// The host's own clock counts, not ours.
		if now, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
			return max(time.Second, at.Sub(now))
		}
		return slowly
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		return slowly
	}
	return 0
}

// words are the host's own, on one line and cut. Something between may have
// answered with the whole request, token included.
func (s session) words(cause error) string {
	if cause == nil {
		return ""
	}
	return ": " + forge.Cut(strings.ReplaceAll(cause.Error(), s.token, "[token]"), maxWords)
}
