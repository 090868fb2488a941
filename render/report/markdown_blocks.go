package report

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/meaning"
)

// block is what a change means for some clusters of a tenant for which it
// means the same.
type block struct {
	title    words
	lines    []line
	clusters int
}

type line struct {
	text words
	keep bool // an opening or a loss: never cut
}

func (b block) keep() bool {
	for _, l := range b.lines {
		if l.keep {
			return true
		}
	}
	return false
}

func clustersIn(all []block) int {
	n := 0
	for _, b := range all {
		n += b.clusters
	}
	return n
}

// blocks puts clusters together for which the change means the same, in the
// order of the first of each.
func blocks(d *meaning.Diff) []block {
	var out []block
	index := map[string]int{}
	members := [][]meaning.Cluster{}
	for i := range d.Clusters {
		c := &d.Clusters[i]
		lines := linesOf(c)
		key := blockKey(c, lines)
		at, known := index[key]
		if !known {
			at = len(out)
			index[key] = at
			out, members = append(out, block{lines: lines}), append(members, nil)
		}
		members[at] = append(members[at], *c)
	}
	for i := range out {
		out[i].title, out[i].clusters = title(members[i], out[i].keep()), len(members[i])
	}
	return out
}

func blockKey(c *meaning.Cluster, lines []line) string {
	key := c.Tenant + "\x00" + c.Seed
	for _, l := range lines {
		key += "\x00" + l.text.plain()
	}
	return key
}

// mostClusters is how many clusters a title names, where nobody loses access.
const mostClusters = 12

func title(clusters []meaning.Cluster, all bool) words {
	out := words{}
	for i, c := range clusters {
		if i == mostClusters && !all {
			out = append(out, say(fmt.Sprintf(" and %d more", len(clusters)-i))...)
			break
		}
		if i > 0 {
			out = append(out, say(", ")...)
		}
		if c.Selects() {
			out = append(out, say("the clusters that ", c.Claim.Name, " selects")...)
		} else {
			out = append(out, word{text: shown(c), given: true, whole: true})
		}
	}
	out = append(out, say(" of tenant ", clusters[0].Tenant)...)
	if clusters[0].Seed != "" {
		out = append(out, say(" on ", clusters[0].Seed)...)
	}
	return append(out, lists(clusters)...)
}

// shown is a cluster's title; its name can be cut, its ID cannot.
func shown(c meaning.Cluster) string {
	name, named := strings.CutSuffix(c.Title, " ("+c.ID+")")
	if !named {
		return c.ID
	}
	return cut(name) + " (" + c.ID + ")"
}

// lists names the lists that have the clusters.
func lists(clusters []meaning.Cluster) words {
	var out words
	seen := map[render.FileID]bool{}
	for _, c := range clusters {
		id := render.FileID{Source: c.Claim.Name, Path: c.Claim.Path}
		if seen[id] {
			continue
		}
		if len(seen) > 0 {
			out = append(out, say(", ")...)
		}
		seen[id] = true
		out = append(out, say("", c.Claim.Name, " in ")...)
		out = append(out, at(c.Claim.Path))
	}
	return append(append(say(" ("), out...), say(")")...)
}

// linesOf says what changes for a cluster, the worst first.
func linesOf(c *meaning.Cluster) []line {
	var out []line
	add := func(keep bool, text words) { out = append(out, line{text, keep}) }
	if text := accessLine(c); text != nil {
		add(c.Opened(), text)
	}
	for _, s := range grouped(c.Losses) {
		add(true, append(append(say("loses "), list(s.Prefixes)...), of(s.Entry, false)...))
	}
	if c.NewlyHeld() {
		add(false, say("held by "+c.Held.Rule+": what it had stays"))
	}
	for _, s := range grouped(c.Gains) {
		verb := "gains "
		if c.FirstRestricted() {
			verb = "lets in "
		}
		add(false, append(append(say(verb), list(s.Prefixes)...), of(s.Entry, true)...))
	}
	for _, e := range c.Expiries {
		add(false, append(append(say("", e.Prefix.String(), " is let in "+ending(e.After)+" instead of "+ending(e.Before)), of(e.Entry, false)...), words{}...))
	}
	for _, s := range c.StillIn {
		text := say("removed, but still let in: ", s.Entry.Prefix.String())
		if len(s.Prefixes) > 0 {
			text = append(append(say("removed, but "), list(s.Prefixes)...), say(" of it still let in: ", s.Entry.Prefix.String())...)
		}
		add(false, append(append(append(text, of(s.Entry, false)...), say(" - by ")...), by(s.By)...))
	}
	for _, g := range c.Groups {
		add(g.Change == "removed", append(say("", g.Group), say(groupChange[g.Change]+": its addresses are not known without a policy")...))
	}
	if c.Waits != "" {
		add(false, say("the list waits: KKP filters nothing on a cluster with expose strategy ", c.Waits, ", and everyone is let in until that is LoadBalancer"))
	}
	if c.MovedFrom != nil {
		add(c.MovedFrom.Tenant != c.Tenant, movedLine(c))
	}
	return out
}

// groupChange is what happens to a group whose addresses are not known.
var groupChange = map[string]string{"added": " is let in from now on", "removed": " is let in no longer", "end": " is let in until another time"}

func movedLine(c *meaning.Cluster) words {
	out := say("moved here from list ", c.MovedFrom.Name, " in ")
	out = append(out, at(c.MovedFrom.Path))
	if c.MovedFrom.Tenant != c.Tenant {
		out = append(out, say(" of another tenant, ", c.MovedFrom.Tenant)...)
	}
	return out
}

// accessLine says what changes beside addresses; nil where nothing does.
func accessLine(c *meaning.Cluster) words {
	switch {
	case c.Opened():
		return say("OPENED: everyone is let in; " + whatWas(c.Before))
	case c.FirstRestricted():
		return say("restricted from now on; " + whatWas(c.Before))
	case c.After == render.Unmanaged && c.Before != render.Unmanaged:
		return say("not looked after any more: what it carries stays; " + whatWas(c.Before))
	case c.After == meaning.Unknown && c.Before != meaning.Unknown && c.Held == nil:
		return say("which list has it now, or whether it keeps its last, is not known without the seed; " + whatWas(c.Before))
	}
	return nil
}

func whatWas(a render.Access) string {
	switch a {
	case meaning.Unknown:
		return "unknown before"
	case render.Open:
		return "open before"
	case render.Unmanaged:
		return "unmanaged before"
	}
	return "restricted before"
}

// grouped joins what is from one entry of a file, or one of the same words.
func grouped(shares []meaning.Share) []meaning.Share {
	var out []meaning.Share
	index := map[string]int{}
	for _, s := range shares {
		key := of(s.Entry, true).plain()
		if s.Entry.Line > 0 { // entries of different places are different entries
			key += s.Entry.Description + "\x00" + s.Entry.Owner
		}
		i, known := index[key]
		if !known {
			index[key] = len(out)
			out = append(out, meaning.Share{Entry: s.Entry})
			i = len(out) - 1
		}
		out[i].Prefixes = append(out[i].Prefixes, s.Prefixes...)
	}
	return out
}

func list(prefixes []netip.Prefix) words {
	var out words
	for i, p := range prefixes {
		if i > 0 {
			out = append(out, say(", ")...)
		}
		out = append(out, say("", p.String())...)
	}
	return out
}

// of says where an entry is from, whose it is, and until when it lasts.
func of(e render.Entry, withEnd bool) words {
	out := origin(e)
	if e.Description != "" {
		out = append(out, say(", ", e.Description)...)
	}
	if e.Owner != "" {
		out = append(out, say(", owner ", e.Owner)...)
	}
	if e.Ticket != "" {
		out = append(out, say(", ticket ", e.Ticket)...)
	}
	if withEnd && !e.Expires.IsZero() {
		out = append(out, say(", "+ending(e.Expires))...)
	}
	return out
}

func origin(e render.Entry) words {
	var out words
	switch e.Kind {
	case lint.FromPlatform:
		return say(": platform")
	case meaning.FromSeed:
		return say(": the Seed's own, which KKP adds")
	case lint.FromNodeEgress:
		out = say(": node egress")
	case lint.FromGroup:
		out = say(": group ", e.Group)
	case lint.FromEntry:
		out = say(": entry")
	default:
		return say(": from no file")
	}
	if e.Path != "" {
		out = append(append(out, say(" at ")...), at(fmt.Sprintf("%s:%d", e.Path, e.Line)))
	}
	return out
}

func by(entries []render.Entry) words {
	var out words
	for i, e := range entries {
		if i > 0 {
			out = append(out, say(", ")...)
		}
		out = append(append(out, say("", e.Prefix.String())...), of(e, true)...)
	}
	return out
}

// ending says until when something lasts: a day where it ends with one.
func ending(t time.Time) string {
	switch {
	case t.IsZero():
		return "for good"
	case t.Equal(t.Truncate(24 * time.Hour)):
		return "until the end of " + t.AddDate(0, 0, -1).UTC().Format(time.DateOnly)
	}
	return "until " + t.UTC().Format(time.RFC3339)
}

// headline counts what changes.
func Headline(d *meaning.Diff) string {
	var opened, lost, held, left, first, gained, expiry, moved int
	for i := range d.Clusters {
		c := &d.Clusters[i]
		for _, k := range []struct {
			is bool
			n  *int
		}{{c.Opened(), &opened}, {len(c.Lost) > 0, &lost}, {c.NewlyHeld(), &held}, {c.After == render.Unmanaged && c.Before != render.Unmanaged, &left},
			{c.FirstRestricted(), &first}, {len(c.Gained) > 0, &gained}, {len(c.Expiries) > 0, &expiry}, {c.MovedFrom != nil, &moved}} {
			if k.is {
				*k.n++
			}
		}
	}
	var parts []string
	for _, p := range []struct {
		n    int
		text string
	}{{opened, "OPENED"}, {lost, "losing access"}, {held, "held"}, {left, "left unmanaged"}, {first, "newly restricted"}, {gained, "gaining access"}, {expiry, "with other dates"}, {moved, "moved"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", count(p.n, "cluster"), p.text))
		}
	}
	if !d.Changed() {
		parts = append([]string{"no change in meaning"}, parts...)
	}
	return strings.Join(parts, ", ")
}

// rest is what is said once, below the clusters.
func rest(d *meaning.Diff) []words {
	var out []words
	for _, g := range d.Groups {
		text := say("group ", g.Name, " of tenant ", g.Tenant, fmt.Sprintf(" reaches %s on %s", count(len(g.Lists), "list"), count(g.Clusters, "cluster")))
		for i, l := range g.Lists {
			text = append(text, say(map[bool]string{true: ": ", false: ", "}[i == 0], l.Name)...)
		}
		out = append(out, text)
	}
	for _, b := range d.Budgets {
		whose := say("rules of the load balancers on ", b.Seed)
		if b.Cluster != "" {
			whose = say("rules of the load balancer of ", b.Cluster)
		}
		out = append(out, append(whose, say(fmt.Sprintf(": %d before, %d after, of %d: %d left", b.Before, b.After, b.Limit, b.Left()))...))
	}
	if len(d.NotFromFiles) > 0 {
		text := say("let in besides the files: ")
		for i, a := range d.NotFromFiles {
			if i > 0 {
				text = append(text, say(", ")...)
			}
			from := " (platform"
			if a.By == "seed" {
				from = " (the Seed's own"
			}
			text = append(text, say("", a.Prefix.String(), from, "")...)
			if a.Description != "" {
				text = append(text, say(", ", a.Description)...)
			}
			text = append(text, say(")")...)
		}
		out = append(out, text)
	}
	if len(d.NotCompared) > 0 && len(d.Clusters) > 0 {
		out = append(out, say("not known here: "+strings.Join(d.NotCompared, "; ")))
	}
	if d.Standing > 0 {
		out = append(out, say(count(d.Standing, "finding")+" not from this change"))
	}
	return out
}
