package github

import (
	"context"
	"fmt"
	"iter"
	"net/http"

	sdk "github.com/google/go-github/v92/github"

	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/source/forge/wire"
)

// maxComment is what GitHub takes of a comment, 65,536 characters, less a
// margin for the mark; counted in bytes here.
const maxComment = 65_000

// Comment keeps the one comment of its mark as wanted.
func (f *Forge) Comment(ctx context.Context, c forge.Comment) (string, error) {
	client, err := f.client(ctx)
	if err != nil {
		return "", err
	}
	c.Body = wire.CutText(c.Body, maxComment)
	return f.comments.Keep(ctx, thread{f, client, c.PullRequest}, c)
}

// thread is the conversation of one pull request, which GitHub takes for an
// issue.
type thread struct {
	*Forge
	client session
	number int
}

func (t thread) Me(ctx context.Context) (string, error) {
	if t.app != nil {
		return t.app.Author(ctx)
	}
	return t.me.Of(t.client.token, func() (string, error) {
		user, resp, err := t.client.Users.Get(ctx, "")
		if err := t.answer("ask who comments on", t.client, resp, err).Want(http.StatusOK); err != nil {
			return "", err
		}
		return user.GetLogin(), nil
	})
}

func (t thread) All(ctx context.Context) iter.Seq2[forge.Said, error] {
	return func(yield func(forge.Said, error) bool) {
		for page := 1; page > 0; {
			list, resp, err := t.client.Issues.ListComments(ctx, t.owner, t.name, t.number,
				&sdk.IssueListCommentsOptions{ListOptions: sdk.ListOptions{Page: page, PerPage: perPage}})
			doing := fmt.Sprintf("list the comments on pull request %d of", t.number)
			if err := t.answer(doing, t.client, resp, err).Want(http.StatusOK, http.StatusNotFound, http.StatusGone); err != nil {
				yield(forge.Said{}, err)
				return
			}
			for _, c := range list {
				if !yield(said(c), nil) {
					return
				}
			}
			page = resp.NextPage
		}
	}
}

func (t thread) Create(ctx context.Context, body string) (forge.Said, error) {
	if err := t.budget.Wait(ctx); err != nil {
		return forge.Said{}, err
	}
	c, resp, err := t.client.Issues.CreateComment(ctx, t.owner, t.name, t.number, sdk.IssueCommentRequest{Body: body})
	return t.written(http.StatusCreated, c, resp, err)
}

func (t thread) Edit(ctx context.Context, id int64, body string) (forge.Said, error) {
	if err := t.budget.Wait(ctx); err != nil {
		return forge.Said{}, err
	}
	c, resp, err := t.client.Issues.UpdateComment(ctx, t.owner, t.name, id, sdk.IssueCommentRequest{Body: body})
	return t.written(http.StatusOK, c, resp, err)
}

func (t thread) written(want int, c *sdk.IssueComment, resp *sdk.Response, err error) (forge.Said, error) {
	doing := fmt.Sprintf("comment on pull request %d of", t.number)
	if err := t.answer(doing, t.client, resp, err).Want(want, http.StatusNotFound, http.StatusGone, http.StatusUnprocessableEntity); err != nil {
		return forge.Said{}, err
	}
	return said(c), nil
}

func said(c *sdk.IssueComment) forge.Said {
	return forge.Said{ID: c.GetID(), Author: c.GetUser().GetLogin(), Body: c.GetBody(), URL: c.GetHTMLURL()}
}
