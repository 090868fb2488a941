package gitea

import (
	"fmt"
	"net/http"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/source/forge/wire"
)

func (f *Forge) answer(doing string, client session, resp *sdk.Response, cause error) wire.Answer {
	a := wire.Answer{Doing: doing, On: f, Cause: cause, Secret: client.token, Hint: "the token in " + f.tokenFile +
		" needs the scope write:repository (for pull requests write:issue and read:user too), and its user the right to write code"}
	if resp != nil {
		a.Resp = resp.Response
	}
	return a
}

// judge makes an error of an answer to a status other than 201; in outage too,
// where it is the host's as a whole.
func (f *Forge) judge(client session, c forge.Check, a wire.Answer) (err, outage error) {
	if a.Resp != nil && a.Resp.StatusCode == http.StatusCreated {
		return nil, nil // whatever the body says: it is not used
	}
	if whole := a.Whole(); whole != nil {
		return whole, whole
	}
	switch a.Resp.StatusCode {
	case http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusInternalServerError:
		return f.examine(client, c, a)
	}
	return a.Failed(), nil
}

// examine tells a commit that is gone from a repository that cannot be seen
// and from a host in trouble. Only the first is final.
func (f *Forge) examine(client session, c forge.Check, a wire.Answer) (err, outage error) {
	_, resp, _ := client.GetSingleCommit(f.owner, f.name, c.Commit)
	if resp == nil || resp.StatusCode != http.StatusNotFound {
		return a.Failed(), nil
	}
	_, resp, _ = client.GetRepo(f.owner, f.name)
	switch {
	case resp != nil && resp.StatusCode == http.StatusOK:
		return fmt.Errorf("%w: commit %s is not in the repository: %w", a.Failed(), c.Commit, forge.ErrNoCommit), nil
	case resp != nil && resp.StatusCode == http.StatusNotFound:
		err = a.Unseen()
		return err, err
	}
	return a.Failed(), nil
}
