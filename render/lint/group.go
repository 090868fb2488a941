package lint

import (
	"fmt"
	"time"

	"github.com/portcullis-gitops/portcullis/render/document"
)

// Group is what the rules about one group are given.
type Group struct {
	Doc *document.AddressGroup
	// Unused is set where it is certain that no list of the tenant names it.
	Unused bool
	// Added tells whether a change adds a line; nil where nothing is compared.
	Added func(line string) bool
	Now   time.Time
}

// groupRules are the rules about one group by itself, one a line. What its
// entries make of a list is judged with the lists that use it.
var groupRules = []struct {
	name  string
	check func(*Group) []Problem
}{
	{"special-range", groupSpecialRange}, // addresses that are nobody's on the Internet
	{"expired", groupExpired},            // leftovers, and mistakes in the year
	{"expires-soon", groupExpiresSoon},   // for those who ask for it
	{"unused-group", unusedGroup},        // mistyped, or forgotten
}

// CheckGroup holds a group against every rule about one.
func CheckGroup(g *Group) []Problem {
	var out []Problem
	for _, r := range groupRules {
		for _, p := range r.check(g) {
			p.Rule = r.name
			out = append(out, p)
		}
	}
	return out
}

func groupSpecialRange(g *Group) []Problem {
	var out []document.Problem
	for i := range g.Doc.Spec.Entries.Items {
		for _, p := range g.Doc.Spec.Entries.Items[i].Prefixes() {
			out = append(out, specialAt(p)...)
		}
	}
	return problems(out)
}

func groupExpired(g *Group) []Problem { return expiredOf(datedInGroup(g.Doc), g.Added, g.Now) }

func groupExpiresSoon(g *Group) []Problem {
	return problems(expiresSoonOf(datedInGroup(g.Doc), g.Now))
}

func unusedGroup(g *Group) []Problem {
	name := g.Doc.Metadata.Name
	if !g.Unused || !name.Set {
		return nil
	}
	return []Problem{{Problem: document.Problem{Pos: name.Pos,
		Message: fmt.Sprintf("no list names the group %q: whoever is in it is not let in by that", name.V), Fix: "remove it, or name it in a list: group: " + name.V}}}
}
