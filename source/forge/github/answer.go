package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	sdk "github.com/google/go-github/v92/github"

	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/source/forge/wire"
)

// judge makes an error of an answer to a check other than the wanted code; in
// outage too, where it is the host's as a whole.
func (f *Forge) judge(ctx context.Context, doing string, client session, c forge.Check, want int, resp *sdk.Response, cause error) (err, outage error) {
	if resp != nil && resp.StatusCode == want {
		return nil, nil // whatever the body says: no more than an ID is used
	}
	if resp == nil {
		err = fmt.Errorf("%s %s%s", doing, f, client.words(cause))
		return err, err
	}
	err = failed(doing, f, client, resp, cause)
	if whole := f.whole(client, resp, cause, err); whole != nil {
		return whole, whole
	}
	switch code := resp.StatusCode; {
	case code == http.StatusUnprocessableEntity && invalid(cause):
		return fmt.Errorf("%w: %w", err, forge.ErrRefused), nil
	case code == http.StatusNotFound || code == http.StatusUnprocessableEntity:
		return f.examine(ctx, client, c, err)
	}
	return err, nil
}

// failed says what was tried on what and what the host made of it.
func failed(doing string, what fmt.Stringer, client session, resp *sdk.Response, cause error) error {
	return fmt.Errorf("%s %s: HTTP %d%s", doing, what, resp.StatusCode, client.words(cause))
}

// whole is the error where an answer is the host's as a whole, else nil.
func (f *Forge) whole(client session, resp *sdk.Response, cause, err error) error {
	if f.app != nil && resp.StatusCode == http.StatusUnauthorized {
		f.app.refuse(client.token)
	}
	return whole(resp, cause, err, f.hint())
}

func (f *Forge) hint() string {
	if f.app != nil {
		return "the App needs the permissions checks: write, pull requests: write and contents: read, and " + f.app.hint()
	}
	return fmt.Sprintf("the token in %s needs the scope repo:status (repo for private repositories and pull requests), "+
		"or commit statuses: write and pull requests: write", f.tokenFile)
}

func whole(resp *sdk.Response, cause, err error, hint string) error {
	switch code := resp.StatusCode; {
	case limited(resp, cause) > 0:
		return forge.RetryAfterError{After: limited(resp, cause), Err: err}
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return forge.RetryAfterError{After: wire.Slowly, Err: fmt.Errorf("%w; %s", err, hint)}
	case code >= 300 && code < 400:
		return fmt.Errorf("%w: redirected; are the host's URL and the repository's name right?", err)
	case code > http.StatusInternalServerError:
		return err
	}
	return nil
}

// limited is for how long GitHub wants to be left alone: as Retry-After says,
// or until the primary limit's hour is over. A secondary limit may be told by
// words alone, and then a minute is asked for.
func limited(resp *sdk.Response, cause error) time.Duration {
	if after := resp.Header.Get("Retry-After"); after != "" {
		return wire.RetryAfter(resp.Response)
	}
	if resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusTooManyRequests {
		return 0
	}
	if resp.Header.Get("X-RateLimit-Remaining") == "0" {
		if reset, err := strconv.ParseInt(resp.Header.Get("X-RateLimit-Reset"), 10, 64); err == nil {
			return wire.Until(resp.Response, time.Unix(reset, 0))
		}
		return wire.Slowly
	}
	var abuse *sdk.AbuseRateLimitError
	if errors.As(cause, &abuse) || cause != nil && strings.Contains(cause.Error(), "secondary rate limit") {
		return wire.Slowly
	}
	return wire.RetryAfter(resp.Response) // of 429
}

// invalid tells a request that GitHub will never take, for it names what is
// wrong, from one about a commit that it does not have.
func invalid(cause error) bool {
	var answer *sdk.ErrorResponse
	return errors.As(cause, &answer) && len(answer.Errors) > 0
}

// examine tells a commit that is gone from a repository that cannot be seen
// and from a host in trouble. Only the first is final.
func (f *Forge) examine(ctx context.Context, client session, c forge.Check, cause error) (err, outage error) {
	_, resp, _ := client.Repositories.GetCommit(ctx, f.owner, f.name, c.Commit, nil)
	if resp == nil || resp.StatusCode != http.StatusNotFound && resp.StatusCode != http.StatusUnprocessableEntity {
		return cause, nil
	}
	_, resp, _ = client.Repositories.Get(ctx, f.owner, f.name)
	switch {
	case resp != nil && resp.StatusCode == http.StatusOK:
		return fmt.Errorf("%w: commit %s is not in the repository: %w", cause, c.Commit, forge.ErrRefused), nil
	case resp != nil && resp.StatusCode == http.StatusNotFound:
		err = f.unseen(cause)
		return err, err
	}
	return cause, nil
}

// listed makes an error of a listing that failed. Where that is not there, the
// repository is not, for these credentials.
func (f *Forge) listed(doing string, client session, resp *sdk.Response, cause error) error {
	if resp != nil && resp.StatusCode == http.StatusNotFound {
		return f.unseen(failed(doing, f, client, resp, cause))
	}
	return f.answered(doing, client, http.StatusOK, resp, cause)
}

func (f *Forge) unseen(err error) error {
	return forge.RetryAfterError{After: wire.Slowly, Err: fmt.Errorf("%w: no such repository, or it may not be seen; %s", err, f.hint())}
}

// answered makes an error of an answer that is not the wanted one, where that
// is no check.
func (f *Forge) answered(doing string, client session, want int, resp *sdk.Response, cause error) error {
	if f.app != nil && resp != nil && resp.StatusCode == http.StatusUnauthorized {
		f.app.refuse(client.token)
	}
	return answered(doing, f, client, want, resp, cause, f.hint())
}

func answered(doing string, what fmt.Stringer, client session, want int, resp *sdk.Response, cause error, hint string) error {
	if resp == nil {
		return fmt.Errorf("%s %s%s", doing, what, client.words(cause))
	}
	if resp.StatusCode == want && cause == nil {
		return nil
	}
	err := failed(doing, what, client, resp, cause)
	if whole := whole(resp, cause, err, hint); whole != nil {
		return whole
	}
	if resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone || invalid(cause) {
		return fmt.Errorf("%w: %w", err, forge.ErrRefused)
	}
	return err
}
