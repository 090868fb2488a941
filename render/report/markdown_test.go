package report_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/meaning"
	"github.com/portcullis-gitops/portcullis/render/report"
)

func markdown(t interface{ Fatal(...any) }, d *meaning.Diff) string {
	var b strings.Builder
	if err := report.Markdown(&b, report.Compared{Base: "main (0123456789ab)", Head: "the work tree", Diff: d}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// hostileCluster has the text wherever a tenant can put text.
func hostileCluster(text string) meaning.Cluster {
	e := render.Entry{Prefix: netip.MustParsePrefix("10.0.0.0/24"), Kind: lint.FromGroup, Description: text, Owner: text, Ticket: text, Group: text, Path: text, Line: 3}
	share := []meaning.Share{{Prefixes: []netip.Prefix{e.Prefix}, Entry: e}}
	claim := render.Claim{Tenant: text, Path: text, Name: text}
	return meaning.Cluster{ID: "prod", Title: text + " (prod)", Tenant: text, Claim: claim, MovedFrom: &render.Claim{Tenant: text + "x", Path: text, Name: text},
		Before: render.Restricted, After: render.Restricted, Lost: share[0].Prefixes, Gained: share[0].Prefixes, Losses: share, Gains: share,
		StillIn: []meaning.Still{{Entry: e, By: []render.Entry{e}}}, Expiries: []meaning.Expiry{{Prefix: e.Prefix, After: time.Unix(0, 0), Entry: e}}}
}

func hostileDiff(text string) *meaning.Diff {
	return &meaning.Diff{Class: meaning.Review, Why: []meaning.Reason{{Tenant: text, Text: "3 clusters lose access"}},
		Clusters: []meaning.Cluster{hostileCluster(text)}, Groups: []meaning.Group{{Tenant: text, Name: text, Lists: []render.Claim{{Name: text}}, Clusters: 1}},
		Findings:     []lint.Finding{{Path: text, Line: 1, Column: 1, Severity: lint.Error, Rule: "host-bits", Message: text, Fix: text}},
		NotFromFiles: []meaning.Added{{Prefix: netip.MustParsePrefix("10.0.0.0/24"), By: "platform", Description: text}}}
}

// outside is what Markdown reads as more than code: what is left of each line
// without its code spans, by CommonMark's rule that a span ends with as many
// backticks as it began with.
func outside(doc string) string {
	ticks := regexp.MustCompile("`+")
	var out strings.Builder
	for _, line := range strings.Split(doc, "\n") {
		for {
			open := ticks.FindStringIndex(line)
			if open == nil {
				break
			}
			fence, rest := line[open[0]:open[1]], line[open[1]:]
			end := -1
			for _, m := range ticks.FindAllStringIndex(rest, -1) {
				if rest[m[0]:m[1]] == fence {
					end = m[1]
					break
				}
			}
			if end < 0 {
				return "a span without an end: " + line
			}
			out.WriteString(line[:open[0]] + "_")
			line = rest[end:]
		}
		out.WriteString(line + "\n")
	}
	return out.String()
}

// Whatever tenants write, the comment without its code spans is the same.
func TestHostileTextStaysInCodeSpans(t *testing.T) {
	t.Parallel()
	harmless := outside(markdown(t, hostileDiff("evil.md")))
	for _, text := range []string{
		"`", "``", "```", "a`b", "`a", "a`", "` `", "a``b`c```d", "\\`", "` @octocat `",
		"@octocat", "![x](http://evil.example/x.png)", "[here](http://evil.example)", "http://evil.example", "www.evil.example",
		"<img src=x>", "<!-- ", "</details>", "#17", "GH-17", "a\nb", "a\r\n\r\n# Heading", "a\u2028b", "\u202eesrever", "\x1b[31m", " ", "  ", "- [ ] task", "| a | b |", ":smile:",
	} {
		if got := outside(markdown(t, hostileDiff(text))); got != harmless {
			t.Errorf("%q breaks out:\n%s\nwant\n%s", text, got, harmless)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune("`\\ @<>[]()!a\n.~*_")), 1, 80, -1).Draw(t, "text") + "."
		if got := outside(markdown(t, hostileDiff(text))); got != harmless {
			t.Fatalf("%q breaks out:\n%s", text, got)
		}
	})
}

// Text is cut at 60 characters, paths are not.
func TestLongText(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 61)
	got := markdown(t, hostileDiff(long))
	if !strings.Contains(got, "`"+strings.Repeat("ä", 59)+"…`") || !strings.Contains(got, "`"+long+":1:1` error[host-bits]") {
		t.Errorf("got\n%s", got)
	}
	if got := markdown(t, hostileDiff(strings.Repeat("b", 59))); strings.Contains(got, "…") {
		t.Errorf("59 and 60 characters are cut:\n%s", got)
	}
}

// many is a change of so many clusters, each in a way of its own.
func many(n int, kind func(c *meaning.Cluster, s []meaning.Share)) []meaning.Cluster {
	var out []meaning.Cluster
	for i := range n {
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 1, byte(i), 0}), 24)
		c := meaning.Cluster{ID: fmt.Sprintf("c%03d", i), Title: fmt.Sprintf("c%03d", i), Tenant: "acme", Before: render.Restricted, After: render.Restricted}
		kind(&c, []meaning.Share{{Prefixes: []netip.Prefix{p}, Entry: render.Entry{Prefix: p, Kind: lint.FromEntry, Path: "acme/a.yaml", Line: int32(i + 1)}}})
		out = append(out, c)
	}
	return out
}

func gains(c *meaning.Cluster, s []meaning.Share) { c.Gained, c.Gains = s[0].Prefixes, s }
func loses(c *meaning.Cluster, s []meaning.Share) { c.Lost, c.Losses = s[0].Prefixes, s }
func opens(c *meaning.Cluster, _ []meaning.Share) { c.After = render.Open }

// Openings and losses are never cut; the rest is, with a count.
func TestLength(t *testing.T) {
	t.Parallel()
	got := markdown(t, &meaning.Diff{Class: meaning.Review, Clusters: many(100, gains)})
	lines, shown := strings.Count(got, "\n"), strings.Count(got, "- gains")
	if lines > 45 || shown == 0 || !strings.Contains(got, fmt.Sprintf("Left out: %d more clusters;", 100-shown)) {
		t.Errorf("%d lines, %d clusters:\n%s", lines, shown, got)
	}
	lost := append(many(60, loses), many(60, gains)...)
	if got := markdown(t, &meaning.Diff{Class: meaning.Review, Clusters: lost}); strings.Count(got, "- loses") != 60 || !strings.Contains(got, "Left out: 60 more clusters;") {
		t.Errorf("losses are cut, or the rest is not:\n%s", got)
	}
	got = markdown(t, &meaning.Diff{Class: meaning.Review, Clusters: many(60, opens)})
	for i := range 60 {
		if !strings.Contains(got, fmt.Sprintf("`c%03d`", i)) {
			t.Errorf("c%03d is opened, and not named", i)
		}
	}
}

// Clusters for which a change means the same are one block.
func TestSameMeaningIsSaidOnce(t *testing.T) {
	t.Parallel()
	clusters := many(3, gains)
	clusters[1].Gained, clusters[1].Gains = clusters[0].Gained, clusters[0].Gains
	got := markdown(t, &meaning.Diff{Class: meaning.Routine, Clusters: clusters})
	if strings.Count(got, "- gains") != 2 || !strings.Contains(got, "`c000`, `c001` of tenant `acme`") {
		t.Errorf("got\n%s", got)
	}
}

// On a terminal nothing from a file is more than text.
func TestMeaningTextIsPlain(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := report.MeaningText(&b, report.Compared{Diff: hostileDiff("a\x1b[31m\nb\u202e")}); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(b.String(), "\x1b\u202e") || strings.Contains(b.String(), "\nb") {
		t.Errorf("got %q", b.String())
	}
}

func TestMeaningJSON(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := report.MeaningJSON(&b, report.Compared{Base: "main", Head: "work", Diff: hostileDiff("a\x1b\u009b")}); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(b.String(), "\x1b\u009b") {
		t.Errorf("got %q", b.String())
	}
	var doc struct {
		Base, Class string
		Changed     bool
		Clusters    []struct{ Tenant string }
	}
	if err := json.Unmarshal([]byte(b.String()), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Base != "main" || doc.Class != "review" || !doc.Changed || doc.Clusters[0].Tenant != "a\x1b\u009b" {
		t.Errorf("got %+v", doc)
	}
}
