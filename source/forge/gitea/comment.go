package gitea

import (
	"context"
	"fmt"
	"iter"
	"net/http"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/source/forge/wire"
)

// Comment keeps the one comment of its mark as wanted.
func (f *Forge) Comment(ctx context.Context, c forge.Comment) (string, error) {
	client, err := f.client(ctx)
	if err != nil {
		return "", err
	}
	c.Body = wire.CutText(c.Body, maxComment)
	return f.comments.Keep(ctx, thread{f, client, int64(c.PullRequest)}, c)
}

// thread is the conversation of one pull request, which Gitea takes for an
// issue.
type thread struct {
	*Forge
	client session
	number int64
}

func (t thread) Me(context.Context) (string, error) {
	return t.me.Of(t.client.token, func() (string, error) {
		user, resp, err := t.client.GetMyUserInfo()
		if err := t.answer("ask who comments on", t.client, resp, err).Want(http.StatusOK); err != nil {
			return "", err
		}
		return user.UserName, nil
	})
}

// All takes one request: Gitea has no pages of comments. Gitea 1.26 answers 500
// where the pull request does not exist.
func (t thread) All(context.Context) iter.Seq2[forge.Said, error] {
	return func(yield func(forge.Said, error) bool) {
		list, resp, err := t.client.ListIssueComments(t.owner, t.name, t.number, sdk.ListIssueCommentOptions{})
		doing := fmt.Sprintf("list the comments on pull request %d of", t.number)
		if err := t.answer(doing, t.client, resp, err).Want(http.StatusOK, http.StatusNotFound); err != nil {
			yield(forge.Said{}, t.examine(resp, err))
			return
		}
		for _, c := range list {
			if !yield(said(c), nil) {
				return
			}
		}
	}
}

// examine tells a pull request that is not there from a host in trouble.
func (t thread) examine(resp *sdk.Response, cause error) error {
	if resp == nil || resp.StatusCode != http.StatusInternalServerError {
		return cause
	}
	if _, there, _ := t.client.GetPullRequest(t.owner, t.name, t.number); there != nil && there.StatusCode == http.StatusNotFound {
		return fmt.Errorf("%w: it is not in the repository: %w", cause, forge.ErrRefused)
	}
	return cause
}

func (t thread) Create(ctx context.Context, body string) (forge.Said, error) {
	if err := t.budget.Wait(ctx); err != nil {
		return forge.Said{}, err
	}
	c, resp, err := t.client.CreateIssueComment(t.owner, t.name, t.number, sdk.CreateIssueCommentOption{Body: body})
	return t.written(http.StatusCreated, c, resp, err)
}

func (t thread) Edit(ctx context.Context, id int64, body string) (forge.Said, error) {
	if err := t.budget.Wait(ctx); err != nil {
		return forge.Said{}, err
	}
	c, resp, err := t.client.EditIssueComment(t.owner, t.name, id, sdk.EditIssueCommentOption{Body: body})
	return t.written(http.StatusOK, c, resp, err)
}

func (t thread) written(want int, c *sdk.Comment, resp *sdk.Response, err error) (forge.Said, error) {
	doing := fmt.Sprintf("comment on pull request %d of", t.number)
	if err := t.answer(doing, t.client, resp, err).Want(want, http.StatusNotFound); err != nil {
		return forge.Said{}, err
	}
	return said(c), nil
}

func said(c *sdk.Comment) forge.Said {
	out := forge.Said{ID: c.ID, Body: c.Body, URL: c.HTMLURL}
	if c.Poster != nil {
		out.Author = c.Poster.UserName
	}
	return out
}
