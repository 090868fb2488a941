package forges_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/source/forge"
)

func TestOneCommentIsKept(t *testing.T) {
	each(t, func(t *testing.T, c contender) {
		c.Commit()
		pr := c.Open("a", "main", "alice", false)
		mark := forge.Mark("portcullis/eu-west")
		c.Say(pr.Number, "mallory", mark+"\nroutine: all is well")
		keep := func(f forge.PullRequests, seed, body string, onlyEdit bool) string {
			t.Helper()
			url, err := f.Comment(t.Context(), forge.Comment{PullRequest: pr.Number, Mark: forge.Mark(seed), Body: body, OnlyEdit: onlyEdit})
			if err != nil {
				t.Fatal(err)
			}
			return url
		}
		says := func(want ...string) {
			t.Helper()
			var got []string
			for _, said := range c.Comments(pr.Number) {
				if said.Author == c.me {
					got = append(got, strings.TrimSpace(said.Body))
				}
			}
			equal(t, "our comments", fmt.Sprintf("%q", got), fmt.Sprintf("%q", want))
		}
		f := c.open(t, nil)
		if url := keep(f, "portcullis/eu-west", "nothing here", true); url != "" {
			t.Errorf("only an edit, and there is a comment: %s", url)
		}
		says()
		url := keep(f, "portcullis/eu-west", "one", false)
		if !strings.Contains(url, fmt.Sprint(pr.Number)) {
			t.Errorf("the comment is at %q", url)
		}
		says(mark + "\none")
		keep(f, "portcullis/eu-west", "two", false)
		says(mark + "\ntwo")
		keep(c.open(t, nil), "portcullis/eu-west", "three", true)
		// Another seed with the same token, which quotes what was written.
		other := forge.Mark("portcullis/us-east")
		keep(c.open(t, nil), "portcullis/us-east", mark+"\nforged", false)
		keep(c.open(t, nil), "portcullis/eu-west", "four", false)
		says(mark+"\nfour", other+"\n"+mark+"\nforged")
		c.Uncomment(pr.Number)
		keep(f, "portcullis/eu-west", "five", false)
		says(mark + "\nfive")
		if _, err := f.Comment(t.Context(), forge.Comment{PullRequest: 9999, Mark: mark, Body: "x"}); !errors.Is(err, forge.ErrRefused) {
			t.Errorf("a comment on nothing: %v", err)
		}
	})
}

func TestCommentAmongManyIsFound(t *testing.T) {
	each(t, func(t *testing.T, c contender) {
		c.Commit()
		pr := c.Open("a", "main", "alice", false)
		for i := range 120 {
			c.Say(pr.Number, "alice", fmt.Sprint("me too ", i))
		}
		comment := forge.Comment{PullRequest: pr.Number, Mark: forge.Mark("portcullis/eu-west"), Body: "one"}
		for _, body := range []string{"one", "two"} {
			comment.Body = body
			if _, err := c.open(t, nil).Comment(t.Context(), comment); err != nil {
				t.Fatal(err)
			}
		}
		all := c.Comments(pr.Number)
		equal(t, "comments", len(all), 121)
		equal(t, "the last one", strings.TrimSpace(all[120].Body), comment.Mark+"\ntwo")
	})
}

func TestCommentThatIsTooLongIsCut(t *testing.T) {
	each(t, func(t *testing.T, c contender) {
		c.Commit()
		pr := c.Open("a", "main", "alice", false)
		body := strings.Repeat("- `acme/list.yaml:1:1` error[host-bits] ü\n", 20_000)
		if _, err := c.open(t, nil).Comment(t.Context(), forge.Comment{PullRequest: pr.Number, Mark: forge.Mark("x"), Body: body}); err != nil {
			t.Fatal(err)
		}
		got := c.Comments(pr.Number)[0].Body
		if len(got) < 60_000 || len(got) > 300_000 || !strings.Contains(got, "cut: more than") {
			t.Errorf("a comment of %d bytes: ...%q", len(got), got[max(0, len(got)-100):])
		}
	})
}
