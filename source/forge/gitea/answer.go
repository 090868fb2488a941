package gitea

import (
	"fmt"
	"net/http"

	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/source/forge/wire"
)

// judge makes an error of an answer to a status other than 201; in outage too,
// where it is the host's as a whole.
func (f *Forge) judge(client session, c forge.Check, resp *http.Response, cause error) (err, outage error) {
	err = f.failed("post a status to", client, resp, cause)
	if whole := f.whole(resp, err); whole != nil {
		return whole, whole
	}
	switch resp.StatusCode {
	case http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusInternalServerError:
		return f.examine(client, c, err)
	}
	return err, nil
}

// failed says what was tried and what the host made of it.
func (f *Forge) failed(doing string, client session, resp *http.Response, cause error) error {
	return fmt.Errorf("%s %s: HTTP %d%s", doing, f, resp.StatusCode, client.words(cause))
}

// whole is the error where an answer is the host's as a whole, else nil.
func (f *Forge) whole(resp *http.Response, err error) error {
	switch code := resp.StatusCode; {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return f.credentials(err)
	case wire.RetryAfter(resp) > 0:
		return forge.RetryAfterError{After: wire.RetryAfter(resp), Err: err}
	case code >= 300 && code < 400:
		return fmt.Errorf("%w: redirected; are the host's URL and the repository's name right?", err)
	case code > http.StatusInternalServerError:
		return err
	}
	return nil
}

func (f *Forge) credentials(err error) error {
	return forge.RetryAfterError{After: wire.Slowly, Err: fmt.Errorf("%w; the token in %s needs the scope "+
		"write:repository (for pull requests write:issue and read:user too), and its user the right to write code", err, f.tokenFile)}
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
		err = f.unseen(cause)
		return err, err
	}
	return cause, nil
}

// listed makes an error of a listing that failed. Where that is not there, the
// repository is not, for this token, or it has no pull requests yet.
func (f *Forge) listed(doing string, client session, resp *http.Response, cause error) error {
	if resp != nil && resp.StatusCode == http.StatusNotFound {
		return f.unseen(f.failed(doing, client, resp, cause))
	}
	return f.answered(doing, client, http.StatusOK, resp, cause)
}

func (f *Forge) unseen(err error) error {
	return f.credentials(fmt.Errorf("%w: no such repository, or the token may not see it", err))
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
	if resp.StatusCode == http.StatusNotFound {
		return fmt.Errorf("%w: %w", err, forge.ErrRefused)
	}
	return err
}
