package gitlab

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"

	sdk "gitlab.com/gitlab-org/api/client-go/v2"

	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/source/forge/wire"
)

func (f *Forge) answer(doing string, client session, resp *sdk.Response, cause error) wire.Answer {
	a := wire.Answer{Doing: doing, On: f, Cause: cause, Secret: client.token, Hint: "the token in " + f.tokenFile +
		" needs the scope api and the role Developer, and the right to merge or push where the branch is protected"}
	if resp != nil {
		a.Resp = resp.Response
	}
	return a
}

// judge makes an error of an answer to a status other than 201; in outage too,
// where it is the host's as a whole.
func (f *Forge) judge(client session, c forge.Check, state sdk.BuildStateValue, a wire.Answer) (err, outage error) {
	if a.Resp != nil && a.Resp.StatusCode == http.StatusCreated {
		return nil, nil // whatever the body says: it is not used
	}
	if whole := a.Whole(); whole != nil {
		return whole, whole
	}
	switch a.Resp.StatusCode {
	case http.StatusBadRequest:
		return transition(state, a), nil
	case http.StatusNotFound:
		return f.examine(client, c, a)
	}
	return a.Want(http.StatusCreated, http.StatusUnprocessableEntity), nil
}

// transitions are GitLab's words for a status that may not change so (the
// state machine of commit statuses in its source, lib/api/commit_statuses.rb).
var transitions = regexp.MustCompile(`Cannot transition status via :(\w+) from :(\w+)`)

// transition tells a status that is as wanted already, which is no failure,
// from one that GitLab will never let have that state.
func transition(wanted sdk.BuildStateValue, a wire.Answer) error {
	if a.Cause == nil {
		return a.Failed()
	}
	words := transitions.FindStringSubmatch(a.Cause.Error())
	switch {
	case words == nil && invalid(a.Cause):
		return fmt.Errorf("%w: %w", a.Failed(), forge.ErrRefused)
	case words == nil:
		return a.Failed()
	case words[2] == string(wanted), wanted == sdk.Pending && words[2] == "running":
		return nil
	}
	return fmt.Errorf("%w: %w", a.Failed(), forge.ErrRefused)
}

// invalid tells whether GitLab's models refuse a value: the message is then not
// a text, but one for each field.
func invalid(cause error) bool {
	answer, ok := errors.AsType[*sdk.ErrorResponse](cause)
	var body struct{ Message map[string]any }
	return ok && json.Unmarshal(answer.Body, &body) == nil && len(body.Message) > 0
}

// examine tells a commit that is gone from a project that cannot be seen and
// from a host in trouble. Only the first is final.
func (f *Forge) examine(client session, c forge.Check, a wire.Answer) (err, outage error) {
	if _, _, gone := client.Commits.GetCommit(f.project, c.Commit, nil); !errors.Is(gone, sdk.ErrNotFound) {
		return a.Failed(), nil
	}
	switch _, _, there := client.Projects.GetProject(f.project, nil); {
	case there == nil:
		return fmt.Errorf("%w: commit %s is not in the project: %w", a.Failed(), c.Commit, forge.ErrNoCommit), nil
	case errors.Is(there, sdk.ErrNotFound):
		err = a.Unseen()
		return err, err
	}
	return a.Failed(), nil
}
