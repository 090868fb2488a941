package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/portcullis-gitops/portcullis/render/meaning"
)

// MeaningText writes what a change means for people, all of it.
func MeaningText(w io.Writer, c Compared) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\ncompared: %s with %s\n", c.Class, Headline(c.Diff), Escape(c.Head), Escape(c.Base))
	if len(c.Why) > 0 {
		fmt.Fprintf(&b, "%s: %s\n", strings.ToLower(reasons(c.Class)), why(c.Why).plain())
	}
	if c.Class == meaning.Hold {
		b.WriteString("once merged, an operator of the seed lets it go ahead: portcullis approve SOURCE@SHA --reason TEXT\n")
	}
	for _, f := range c.Findings {
		b.WriteString(Finding(f, false))
	}
	for _, block := range blocks(c.Diff) {
		fmt.Fprintf(&b, "%s\n", block.title.plain())
		for _, l := range block.lines {
			fmt.Fprintf(&b, "    %s\n", l.text.plain())
		}
	}
	for _, l := range rest(c.Diff) {
		fmt.Fprintf(&b, "%s\n", l.plain())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// MeaningJSON writes it as one document: {"base", "head", "changed", "class", ...}.
func MeaningJSON(w io.Writer, c Compared) error {
	return WriteJSON(w, struct {
		Compared
		Changed bool `json:"changed"`
	}{c, c.Changed()})
}

// ExplainJSON writes answers as one document, {"answers": [...]}.
func ExplainJSON(w io.Writer, answers []meaning.Answer) error {
	return WriteJSON(w, struct {
		Answers []meaning.Answer `json:"answers"`
	}{answers})
}

// ExplainText writes answers for people: the verdict first, then by what.
func ExplainText(w io.Writer, answers []meaning.Answer) error {
	var b strings.Builder
	for _, a := range answers {
		explainOne(&b, a)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func explainOne(b *strings.Builder, a meaning.Answer) {
	where := Escape(a.Title)
	if a.Seed != "" {
		where += " on " + Escape(a.Seed)
	}
	fmt.Fprintf(b, "%s: %s is %s\n", where, address(a), verdict(a))
	if a.Claim != nil {
		fmt.Fprintf(b, "    list %s, %s:%d\n", Escape(a.Claim.Name), Escape(a.Claim.Path), a.Claim.Line)
	}
	for _, e := range a.By {
		fmt.Fprintf(b, "    by %s%s\n", e.Prefix, of(e, true).plain())
	}
	for _, p := range a.SeedRanges {
		fmt.Fprintf(b, "    by %s: the Seed's own, which KKP adds to every list\n", p)
	}
	for _, e := range a.Expired {
		fmt.Fprintf(b, "    no longer by %s%s\n", e.Prefix, of(e, true).plain())
	}
	if a.Nearest != nil {
		fmt.Fprintf(b, "    nearest: %s%s\n", a.Nearest.Prefix, of(*a.Nearest, true).plain())
	}
	if a.Held != nil {
		fmt.Fprintf(b, "    held: %s\n", Escape(a.Held.Message))
	}
	for _, n := range a.Notes {
		fmt.Fprintf(b, "    note: %s\n", Escape(n))
	}
}

func address(a meaning.Answer) string {
	if a.Prefix.IsSingleIP() {
		return a.Prefix.Addr().String()
	}
	return a.Prefix.String()
}

func verdict(a meaning.Answer) string {
	switch a.Verdict {
	case meaning.In:
		if a.Access == "open" {
			return "let in, as everyone is (access: open)"
		}
		return "let in, " + ending(a.Until)
	case meaning.Out:
		return "not let in"
	}
	return "let in or not: that cannot be told here"
}
