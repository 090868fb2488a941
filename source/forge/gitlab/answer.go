package gitlab

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"

	sdk "gitlab.com/gitlab-org/api/client-go/v2"

	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/source/forge/wire"
)

// judge makes an error of an answer to a status other than 201; in outage too,
// where it is the host's as a whole.
func (f *Forge) judge(client session, c forge.Check, state sdk.BuildStateValue, resp *http.Response, cause error) (err, outage error) {
	if resp == nil {
		err = fmt.Errorf("post a status to %s%s", f, client.words(cause))
		return err, err
	}
	err = f.failed("post a status to", client, resp, cause)
	if whole := f.whole(resp, err); whole != nil {
		return whole, whole
	}
	switch resp.StatusCode {
	case http.StatusBadRequest:
		return f.transition(state, cause, err), nil
	case http.StatusNotFound:
		return f.examine(client, c, err)
	case http.StatusUnprocessableEntity:
		return fmt.Errorf("%w: %w", err, forge.ErrRefused), nil
	}
	return err, nil
}

// transitions are GitLab's words for a status that may not change so (the
// state machine of commit statuses in its source, lib/api/commit_statuses.rb).
var transitions = regexp.MustCompile(`Cannot transition status via :(\w+) from :(\w+)`)

// transition tells a status that is as wanted already, which is no failure,
// from one that GitLab will never let have that state.
func (f *Forge) transition(wanted sdk.BuildStateValue, cause, err error) error {
	if cause == nil {
		return err
	}
	words := transitions.FindStringSubmatch(cause.Error())
	switch {
	case words == nil:
		return err
	case words[2] == string(wanted), wanted == sdk.Pending && words[2] == "running":
		return nil
	}
	return fmt.Errorf("%w: %w", err, forge.ErrRefused)
}

// failed says what was tried and what the host made of it.
func (f *Forge) failed(doing string, client session, resp *http.Response, cause error) error {
	return fmt.Errorf("%s %s: HTTP %d%s", doing, f, resp.StatusCode, client.words(cause))
}

// whole is the error where an answer is the host's as a whole, else nil.
func (f *Forge) whole(resp *http.Response, err error) error {
	switch code := resp.StatusCode; {
	case wire.RetryAfter(resp) > 0:
		return forge.RetryAfterError{After: wire.RetryAfter(resp), Err: err}
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return f.credentials(err)
	case code >= 300 && code < 400:
		return fmt.Errorf("%w: redirected; are the host's URL and the project's path right?", err)
	case code > http.StatusInternalServerError:
		return err
	}
	return nil
}

func (f *Forge) credentials(err error) error {
	return forge.RetryAfterError{After: wire.Slowly, Err: fmt.Errorf("%w; the token in %s needs the scope api and the role "+
		"Developer, and the right to merge or push where the branch is protected", err, f.tokenFile)}
}

// examine tells a commit that is gone from a project that cannot be seen and
// from a host in trouble. Only the first is final.
func (f *Forge) examine(client session, c forge.Check, cause error) (err, outage error) {
	if _, _, gone := client.Commits.GetCommit(f.project, c.Commit, nil); !errors.Is(gone, sdk.ErrNotFound) {
		return cause, nil
	}
	switch _, _, there := client.Projects.GetProject(f.project, nil); {
	case there == nil:
		return fmt.Errorf("%w: commit %s is not in the project: %w", cause, c.Commit, forge.ErrRefused), nil
	case errors.Is(there, sdk.ErrNotFound):
		err = f.unseen(cause)
		return err, err
	}
	return cause, nil
}

// listed makes an error of a listing that failed. Where that is not there, the
// project is not, for this token.
func (f *Forge) listed(doing string, client session, resp *http.Response, cause error) error {
	if resp != nil && resp.StatusCode == http.StatusNotFound {
		return f.unseen(f.failed(doing, client, resp, cause))
	}
	return f.answered(doing, client, http.StatusOK, resp, cause)
}

func (f *Forge) unseen(err error) error {
	return f.credentials(fmt.Errorf("%w: no such project, or the token may not see it", err))
}

// answered makes an error of an answer that is not the wanted one, where that
// is no status.
func (f *Forge) answered(doing string, client session, want int, resp *http.Response, cause error) error {
	if resp == nil {
		return fmt.Errorf("%s %s%s", doing, f, client.words(cause))
	}
	if resp.StatusCode == want && cause == nil {
		return nil
	}
	err := f.failed(doing, client, resp, cause)
	if whole := f.whole(resp, err); whole != nil {
		return whole
	}
	if resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusUnprocessableEntity {
		return fmt.Errorf("%w: %w", err, forge.ErrRefused)
	}
	return err
}

// response is the plain one, nil where there is none.
func response(r *sdk.Response) *http.Response {
	if r == nil {
		return nil
	}
	return r.Response
}
