package gitlab

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"strings"

	sdk "gitlab.com/gitlab-org/api/client-go/v2"

	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/source/forge/wire"
)

// Comment keeps the one note of its mark as wanted.
func (f *Forge) Comment(ctx context.Context, c forge.Comment) (string, error) {
	client, err := f.client(ctx)
	if err != nil {
		return "", err
	}
	c.Body = withoutCommands(wire.CutText(c.Body, maxComment))
	return f.comments.Keep(ctx, thread{f, client, int64(c.PullRequest)}, c)
}

// withoutCommands keeps GitLab from carrying out lines like /merge, which it
// takes for orders of the note's author ("quick actions"). The backslash is
// not seen but in code.
func withoutCommands(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if at := len(line) - len(strings.TrimLeft(line, " \t\r")); strings.HasPrefix(line[at:], "/") {
			lines[i] = line[:at] + `\` + line[at:]
		}
	}
	return strings.Join(lines, "\n")
}

// thread is the conversation of one merge request.
type thread struct {
	*Forge
	client session
	number int64
}

// Me is a number: names can be changed, and then be another's.
func (t thread) Me(context.Context) (string, error) {
	return t.me.Of(t.client.token, func() (string, error) {
		user, resp, err := t.client.Users.CurrentUser()
		if err := t.answer("ask who comments on", t.client, resp, err).Want(http.StatusOK); err != nil {
			return "", err
		}
		return strconv.FormatInt(user.ID, 10), nil
	})
}

func (t thread) All(context.Context) iter.Seq2[forge.Said, error] {
	return func(yield func(forge.Said, error) bool) {
		for page := int64(1); page > 0; {
			list, resp, err := t.client.Notes.ListMergeRequestNotes(t.project, t.number, &sdk.ListMergeRequestNotesOptions{
				OrderBy: new("created_at"), Sort: new("asc"), ListOptions: sdk.ListOptions{Page: page, PerPage: perPage}})
			doing := fmt.Sprintf("list the notes on merge request %d of", t.number)
			if err := t.answer(doing, t.client, resp, err).Want(http.StatusOK, http.StatusNotFound); err != nil {
				yield(forge.Said{}, err)
				return
			}
			for _, n := range list {
				if !n.System && !yield(t.said(n), nil) {
					return
				}
			}
			page = resp.NextPage
		}
	}
}

func (t thread) Create(ctx context.Context, body string) (forge.Said, error) {
	if err := t.notes.Wait(ctx); err != nil {
		return forge.Said{}, err
	}
	n, resp, err := t.client.Notes.CreateMergeRequestNote(t.project, t.number, &sdk.CreateMergeRequestNoteOptions{Body: new(body)})
	return t.written(http.StatusCreated, n, resp, err)
}

func (t thread) Edit(ctx context.Context, id int64, body string) (forge.Said, error) {
	if err := t.notes.Wait(ctx); err != nil {
		return forge.Said{}, err
	}
	n, resp, err := t.client.Notes.UpdateMergeRequestNote(t.project, t.number, id, &sdk.UpdateMergeRequestNoteOptions{Body: new(body)})
	return t.written(http.StatusOK, n, resp, err)
}

func (t thread) written(want int, n *sdk.Note, resp *sdk.Response, err error) (forge.Said, error) {
	doing := fmt.Sprintf("comment on merge request %d of", t.number)
	if err := t.answer(doing, t.client, resp, err).Want(want, http.StatusNotFound, http.StatusUnprocessableEntity); err != nil {
		return forge.Said{}, err
	}
	return t.said(n), nil
}

// said has the address of the note's place on the merge request's page.
func (t thread) said(n *sdk.Note) forge.Said {
	return forge.Said{ID: n.ID, Author: strconv.FormatInt(n.Author.ID, 10), Body: n.Body,
		URL: fmt.Sprintf("%s/-/merge_requests/%d#note_%d", t.Forge, t.number, n.ID)}
}
