package render_test

import (
	"testing"

	"github.com/portcullis-gitops/portcullis/render"
)

// What others wrote counts as the API server reads it: with bits behind the
// length, and with white space around it.
func TestPrefixesOfOthers(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"203.0.113.0/24":      "203.0.113.0/24",
		"203.0.113.7/24":      "203.0.113.0/24",
		" 203.0.113.0/24\t\n": "203.0.113.0/24",
		"2001:DB8::/32":       "2001:db8::/32",
		"203.0.113.0 /24":     "",
		"203.0.113.7":         "",
		"not-a-cidr":          "",
		"":                    "",
	} {
		got := ""
		for _, p := range render.Prefixes([]string{in}) {
			got += p.String()
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// A list that somebody wrote with white space lets people in: taking that away
// on many clusters is held like any other.
func TestGuardCountsWhatIsWrittenWithSpace(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	for id, c := range g.inventory.Clusters {
		if c.Project == "acmeproj01" {
			c.Live = render.Live{Set: true, CIDRs: []string{" 203.0.113.0/24", "198.51.100.0/24"}}
			g.inventory.Clusters[id] = c
		}
	}
	g.files["acme/a.yaml"] = selectorList("a", "{}", "198.51.100.0/24")
	if g.plan(); len(g.last.Holds) == 0 {
		t.Error("20 clusters lose 203.0.113.0/24, and nothing is held")
	}
}
