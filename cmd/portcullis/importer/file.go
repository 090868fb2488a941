package importer

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/render/report"
)

// file is the text of a cluster's file. What comes from the seed is a name, a
// prefix, or a comment on one line.
func (im *Importer) file(c *Cluster) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", im.origin(c))
	fmt.Fprintf(&b, "apiVersion: %s\nkind: %s\nmetadata: {name: %s}\nspec:\n", document.APIVersion, document.KindAllowlist, word(c.Cluster.ID))
	if im.Seed != "" {
		fmt.Fprintf(&b, "  seed: %s\n", word(im.Seed))
	}
	fmt.Fprintf(&b, "  clusters: [%s]%s\n", word(c.Cluster.ID), comment(c.Cluster.Name))
	if len(c.Own) == 0 {
		fmt.Fprintf(&b, "  access: unmanaged # what is live stays as it is\n")
	} else {
		im.restricted(&b, c)
	}
	for _, v := range c.Changed {
		if len(c.Own) > 0 {
			fmt.Fprintf(&b, "# %s.\n", report.Escape(v.String()))
		}
	}
	for _, p := range c.KeptOut {
		fmt.Fprintf(&b, "# Kept out: %s\n", report.Escape(p.Message))
	}
	return b.String()
}

func (im *Importer) origin(c *Cluster) string {
	from := "Imported from the cluster's list on the seed"
	if im.Seed != "" {
		from += " " + report.Escape(im.Seed)
	}
	switch {
	case len(c.Own) > 0:
		return from + ", the provider's own ranges left out."
	case c.Reason != "":
		return from + ", which cannot be written here: " + report.Escape(c.Reason) + "."
	}
	return "The cluster has no list: everyone can reach its API server."
}

func (im *Importer) restricted(b *strings.Builder, c *Cluster) {
	fromPlatform := slices.ContainsFunc(c.platform, func(p policy.Platform) bool { return p.NodeEgress })
	if im.Policy.Require.NodeEgress && !fromPlatform {
		b.WriteString("  # Where the cluster's own nodes come from is not known to the seed; they may be\n" +
			"  # among the entries. Move them here, or say none if they need no way in; until\n" +
			"  # then check warns of it.\n" +
			"  # nodeEgress: []\n")
	}
	b.WriteString("  entries:\n")
	for _, p := range c.Own {
		fmt.Fprintf(b, "    - {description: imported, cidr: %s}\n", cidr(p))
	}
}

// cidr is a prefix as YAML: one of IPv6 in quotes, for its colons mean
// something else in braces, and to some at the end of a word.
func cidr(p netip.Prefix) string {
	if p.Addr().Is4() {
		return p.String()
	}
	return strconv.Quote(p.String())
}

// comment is some text behind a value, such as a cluster's name, which its
// users can choose: on one line, without what does not show.
func comment(s string) string {
	const most = 100
	if s = strings.TrimSpace(s); s == "" {
		return ""
	}
	return " # " + report.Escape(cut(s, most))
}

func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

var plainWord = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// word is a name as YAML, in quotes where a reader might take it for a number
// or a truth.
func word(s string) string {
	if plainWord.MatchString(s) && !slices.Contains([]string{"true", "false", "null", "y", "n", "yes", "no", "on", "off"}, s) {
		return s
	}
	return strconv.Quote(s)
}
