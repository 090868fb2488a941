package forge_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/source/forge"
)

// talk is a conversation in memory that notes what it was asked.
type talk struct {
	comments []forge.Said
	asked    []string
	fail     map[string]error // by what is asked
	before   func()           // the first question
	me       string           // empty: robot
}

func (c *talk) ask(what string) error {
	c.asked = append(c.asked, what)
	if c.before != nil && len(c.asked) == 1 {
		c.before()
	}
	return c.fail[what]
}

func (c *talk) Me(context.Context) (string, error) { return cmp.Or(c.me, "robot"), c.ask("me") }

func (c *talk) All(context.Context) iter.Seq2[forge.Said, error] {
	return func(yield func(forge.Said, error) bool) {
		if err := c.ask("all"); err != nil {
			yield(forge.Said{}, err)
			return
		}
		for _, said := range c.comments {
			if !yield(said, nil) {
				return
			}
		}
	}
}

func (c *talk) Create(_ context.Context, body string) (forge.Said, error) {
	if err := c.ask("create"); err != nil {
		return forge.Said{}, err
	}
	said := forge.Said{ID: int64(len(c.comments) + 1), Author: cmp.Or(c.me, "robot"), Body: body, URL: fmt.Sprint("#", len(c.comments)+1)}
	c.comments = append(c.comments, said)
	return said, nil
}

func (c *talk) Edit(_ context.Context, id int64, body string) (forge.Said, error) {
	if err := c.ask("edit"); err != nil {
		return forge.Said{}, err
	}
	for i := range c.comments {
		switch {
		case c.comments[i].ID == id && c.comments[i].Author != cmp.Or(c.me, "robot"):
			return forge.Said{}, forge.RetryAfterError{After: time.Minute, Err: errors.New("HTTP 403")}
		case c.comments[i].ID == id:
			c.comments[i].Body = body
			return c.comments[i], nil
		}
	}
	return forge.Said{}, fmt.Errorf("edit %d: %w", id, forge.ErrRefused)
}

func comment(body string) forge.Comment {
	return forge.Comment{PullRequest: 7, Mark: forge.Mark("portcullis/eu-west"), Body: body}
}

// What a process that knows nothing finds, and what it does about it.
func TestCommentIsFoundByMarkAndAuthor(t *testing.T) {
	t.Parallel()
	mark := forge.Mark("portcullis/eu-west")
	mine := forge.Said{ID: 3, Author: "robot", Body: mark + "\nold", URL: "#3"}
	forged := forge.Said{ID: 1, Author: "mallory", Body: mark + "\nall is well"}
	quoting := forge.Said{ID: 2, Author: "robot", Body: forge.Mark("portcullis/us-east") + "\n" + mark}
	for name, tt := range map[string]struct {
		there    []forge.Said
		onlyEdit bool
		asked    string
		body3    string
		url      string
	}{
		"nothing":             {nil, false, "[me all create]", "", "#1"},
		"nothing, only edit":  {nil, true, "[me all]", "", ""},
		"ours":                {[]forge.Said{mine}, false, "[me all edit]", mark + "\nnew", "#3"},
		"ours, only edit":     {[]forge.Said{mine}, true, "[me all edit]", mark + "\nnew", "#3"},
		"another's mark":      {[]forge.Said{forged, mine}, false, "[me all edit]", mark + "\nnew", "#3"},
		"another's alone":     {[]forge.Said{forged}, false, "[me all create]", "", "#2"},
		"a quotation of ours": {[]forge.Said{quoting, mine}, false, "[me all edit]", mark + "\nnew", "#3"},
		"as wanted": {[]forge.Said{{ID: 3, Author: "robot", Body: mark + "\r\nnew\r\n", URL: "#3"}}, false,
			"[me all]", mark + "\r\nnew\r\n", "#3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			thread := &talk{comments: tt.there}
			var k forge.Comments
			c := comment("new")
			c.OnlyEdit = tt.onlyEdit
			url, err := k.Keep(t.Context(), thread, c)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "URL", url, tt.url)
			equal(t, "asked", thread.asked, tt.asked)
			for _, said := range thread.comments {
				if said.ID == 3 {
					equal(t, "comment 3", said.Body, tt.body3)
				}
			}
		})
	}
}

func TestCommentThatStandsIsLeftAlone(t *testing.T) {
	t.Parallel()
	thread, k := &talk{}, forge.Comments{}
	keep := func(body string) {
		t.Helper()
		if url, err := k.Keep(t.Context(), thread, comment(body)); err != nil || url != "#1" {
			t.Fatalf("%s, %v", url, err)
		}
	}
	keep("one")
	keep("one")
	keep("two")
	keep("two")
	equal(t, "asked", thread.asked, "[me all create me me edit me]")
	thread.asked = nil
	thread.comments[0].ID = 9 // somebody deleted ours, and there is another
	if url, err := k.Keep(t.Context(), thread, comment("three")); err != nil || url != "#1" {
		t.Fatalf("%s, %v", url, err)
	}
	equal(t, "asked", thread.asked, "[me edit all edit]")
	equal(t, "comments", len(thread.comments), 1)
}

// A token of another account is in the file by now, which hosts may not let edit
// what the one before wrote: the new one has a comment of its own, and the same
// one each time.
func TestCommentOfTheAccountBeforeIsLeftAlone(t *testing.T) {
	t.Parallel()
	thread, k := &talk{}, forge.Comments{}
	mark := forge.Mark("portcullis/eu-west")
	for _, step := range []struct{ me, body, url, asked string }{
		{"robot", "one", "#1", "[me all create]"},
		{"successor", "one", "#2", "[me all create]"},
		{"successor", "two", "#2", "[me edit]"},
		{"robot", "three", "#1", "[me all edit]"},
	} {
		thread.me, thread.asked = step.me, nil
		url, err := k.Keep(t.Context(), thread, comment(step.body))
		if err != nil {
			t.Fatalf("%+v: %v", step, err)
		}
		equal(t, "URL", url, step.url)
		equal(t, "asked", thread.asked, step.asked)
	}
	equal(t, "the first one", thread.comments[0].Body, mark+"\nthree")
	equal(t, "the other", thread.comments[1].Body, mark+"\ntwo")
}

func TestCommentThatFailsIsTriedAgain(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"me", "all", "create"} {
		thread := &talk{fail: map[string]error{what: errAway}}
		var k forge.Comments
		if _, err := k.Keep(t.Context(), thread, comment("one")); !errors.Is(err, errAway) {
			t.Errorf("%s fails: %v", what, err)
		}
		thread.fail = nil
		if _, err := k.Keep(t.Context(), thread, comment("one")); err != nil || len(thread.comments) != 1 {
			t.Errorf("after %s failed: %v, %d comments", what, err, len(thread.comments))
		}
		thread.fail = map[string]error{"edit": errAway}
		if _, err := k.Keep(t.Context(), thread, comment("two")); !errors.Is(err, errAway) {
			t.Errorf("edit fails: %v", err)
		}
		thread.fail = nil
		if _, err := k.Keep(t.Context(), thread, comment("two")); err != nil || thread.comments[0].Body != forge.Mark("portcullis/eu-west")+"\ntwo" {
			t.Errorf("after edit failed: %v, %+v", err, thread.comments)
		}
	}
}

// TestCommentsKeptAtOnceAreOne has many keep the same comment.
func TestCommentsKeptAtOnceAreOne(t *testing.T) {
	t.Parallel()
	thread, k := &talk{}, forge.Comments{}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := k.Keep(t.Context(), thread, comment("one")); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(thread.comments) != 1 || slices.Contains(thread.asked, "edit") {
		t.Errorf("%d comments, after %v", len(thread.comments), thread.asked)
	}
}

// TestWaitingForACommentEnds where whoever waits gives up.
func TestWaitingForACommentEnds(t *testing.T) {
	t.Parallel()
	var k forge.Comments
	began, end := make(chan struct{}), make(chan struct{})
	slow := &talk{before: func() { close(began); <-end }}
	done := make(chan error)
	go func() { _, err := k.Keep(t.Context(), slow, comment("one")); done <- err }()
	<-began
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.Keep(ctx, &talk{}, comment("one")); !errors.Is(err, context.Canceled) {
		t.Errorf("error: %v", err)
	}
	other := comment("one")
	other.PullRequest++
	if _, err := k.Keep(t.Context(), &talk{}, other); err != nil {
		t.Errorf("another pull request had to wait: %v", err)
	}
	close(end)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestCommentWithoutPlaceOrMarkIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []forge.Comment{{PullRequest: 1}, {Mark: "<!-- x -->"}} {
		thread, k := &talk{}, forge.Comments{}
		if _, err := k.Keep(t.Context(), thread, c); !errors.Is(err, forge.ErrRefused) || len(thread.asked) > 0 {
			t.Errorf("%+v: %v after %v", c, err, thread.asked)
		}
	}
}
