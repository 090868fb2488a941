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

// answer is of the repository. A token of the App's that GitHub does not take
// is not used again.
func (f *Forge) answer(doing string, client session, resp *sdk.Response, cause error) wire.Answer {
	if f.app != nil && resp != nil && resp.StatusCode == http.StatusUnauthorized {
		f.app.Refused(client.token)
	}
	return answer(doing, f, client, resp, cause, f.hint())
}

func answer(doing string, on fmt.Stringer, client session, resp *sdk.Response, cause error, hint string) wire.Answer {
	a := wire.Answer{Doing: doing, On: on, Cause: cause, Secret: client.token, Hint: hint}
	if resp != nil {
		a.Resp, a.After = resp.Response, limited(resp.Response, cause)
	}
	return a
}

func (f *Forge) hint() string {
	if f.app != nil {
		return "the App needs the permissions checks: write, pull requests: write and contents: read, and " + f.app.hint()
	}
	return fmt.Sprintf("the token in %s needs the scope repo:status (repo for private repositories and pull requests), "+
		"or commit statuses: write and pull requests: write", f.tokenFile)
}

// judge makes an error of an answer to a check other than the wanted code; in
// outage too, where it is the host's as a whole.
func (f *Forge) judge(ctx context.Context, client session, c forge.Check, want int, a wire.Answer) (err, outage error) {
	if a.Resp != nil && a.Resp.StatusCode == want {
		return nil, nil // whatever the body says: no more than an ID is used
	}
	if whole := a.Whole(); whole != nil {
		return whole, whole
	}
	switch code := a.Resp.StatusCode; {
	case code == http.StatusUnprocessableEntity && invalid(a.Cause):
		return fmt.Errorf("%w: %w", a.Failed(), forge.ErrRefused), nil
	case code == http.StatusNotFound || code == http.StatusUnprocessableEntity:
		return f.examine(ctx, client, c, a)
	}
	return a.Failed(), nil
}

// limited is for how long GitHub wants to be left alone: as Retry-After says,
// or until the primary limit's hour is over. A secondary limit may be told by
// words alone, and then a minute is asked for.
func limited(resp *http.Response, cause error) time.Duration {
	if after := wire.RetryAfter(resp); resp.Header.Get("Retry-After") != "" {
		return after
	}
	if resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusTooManyRequests {
		return 0
	}
	if resp.Header.Get("X-RateLimit-Remaining") == "0" {
		if reset, err := strconv.ParseInt(resp.Header.Get("X-RateLimit-Reset"), 10, 64); err == nil {
			return wire.Until(resp, time.Unix(reset, 0))
		}
		return wire.Slowly
	}
	if _, ok := errors.AsType[*sdk.AbuseRateLimitError](cause); ok || cause != nil && strings.Contains(cause.Error(), "secondary rate limit") {
		return wire.Slowly
	}
	return 0
}

// invalid tells a request that GitHub will never take, for it names what is
// wrong, from one about a commit that it does not have.
func invalid(cause error) bool {
	answer, ok := errors.AsType[*sdk.ErrorResponse](cause)
	return ok && len(answer.Errors) > 0
}

// examine tells a commit that is gone from a repository that cannot be seen
// and from a host in trouble. Only the first is final.
func (f *Forge) examine(ctx context.Context, client session, c forge.Check, a wire.Answer) (err, outage error) {
	_, resp, _ := client.Repositories.GetCommit(ctx, f.owner, f.name, c.Commit, nil)
	if resp == nil || resp.StatusCode != http.StatusNotFound && resp.StatusCode != http.StatusUnprocessableEntity {
		return a.Failed(), nil
	}
	_, resp, _ = client.Repositories.Get(ctx, f.owner, f.name)
	switch {
	case resp != nil && resp.StatusCode == http.StatusOK:
		return fmt.Errorf("%w: commit %s is not in the repository: %w", a.Failed(), c.Commit, forge.ErrNoCommit), nil
	case resp != nil && resp.StatusCode == http.StatusNotFound:
		err = a.Unseen()
		return err, err
	}
	return a.Failed(), nil
}
