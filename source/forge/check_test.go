package forge_test

import (
	"testing"

	"github.com/portcullis-gitops/portcullis/source/forge"
)

// The store keeps hashes for as long as the commits: a version that counts
// them otherwise would post all of them again.
func TestHashOfWhatWasThereBeforeStays(t *testing.T) {
	t.Parallel()
	c := forge.Check{Commit: "c", Context: "portcullis/eu-west", State: forge.Success, Title: "in force", Body: "a: Synced\n"}
	equal(t, "hash", c.Hash(), "6897e38d3f53e228b4bdeef4")
	c.PullRequest, c.Ref = 3, "refs/pull/3/head"
	equal(t, "hash with what is no content", c.Hash(), "6897e38d3f53e228b4bdeef4")
}

func TestHashCountsAllContent(t *testing.T) {
	t.Parallel()
	a := forge.Annotation{Path: "a.yaml", Line: 1, Column: 2, Failure: true, Title: "t", Message: "m"}
	with := func(change func(*forge.Annotation)) forge.Check {
		b := a
		change(&b)
		return forge.Check{Annotations: []forge.Annotation{b}}
	}
	seen := map[string]int{}
	for i, c := range []forge.Check{
		{}, {Commit: "x"}, {Context: "x"}, {State: "x"}, {Title: "x"}, {Body: "x"}, {Summary: "x"}, {URL: "x"},
		{Annotations: []forge.Annotation{a}}, {Annotations: []forge.Annotation{a, a}},
		with(func(a *forge.Annotation) { a.Path = "b" }), with(func(a *forge.Annotation) { a.Line = 2 }),
		with(func(a *forge.Annotation) { a.Column = 0 }), with(func(a *forge.Annotation) { a.Failure = false }),
		with(func(a *forge.Annotation) { a.Title = "b" }), with(func(a *forge.Annotation) { a.Message = "b" }),
	} {
		if before, ok := seen[c.Hash()]; ok {
			t.Errorf("checks %d and %d have the same hash", before, i)
		}
		seen[c.Hash()] = i
	}
}

func TestInOrderStopsAtAnOutage(t *testing.T) {
	t.Parallel()
	checks := []forge.Check{check("a", forge.Success, ""), check("b", forge.Success, ""), check("c", forge.Success, ""), check("d", forge.Success, "")}
	var sent []string
	errs := forge.InOrder(checks, nil, func(c forge.Check) (err, outage error) {
		sent = append(sent, c.Commit)
		switch c.Commit {
		case "a":
			return forge.ErrRefused, nil
		case "c":
			return errAway, errAway
		}
		return nil, nil
	})
	equal(t, "errors", errs, []error{forge.ErrRefused, nil, errAway, errAway})
	equal(t, "sent", sent, "[a b c]")
	equal(t, "errors of an outage before", forge.InOrder(checks[:2], errAway, nil), []error{errAway, errAway})
}

func TestByNumber(t *testing.T) {
	t.Parallel()
	var got []int
	for _, pr := range forge.ByNumber([]forge.PullRequest{{Number: 3}, {Number: 1}, {Number: 3}, {Number: 2}}) {
		got = append(got, pr.Number)
	}
	equal(t, "numbers", got, "[1 2 3]")
}
