package render_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/render"
)

// Who misspells a name is told which was meant. Thousands of them beside thousands
// of others are reported without: to compare them all would keep everybody waiting,
// and it takes nobody else's hint away.
func TestHintsAreBounded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name            string
		missing, groups int
		want            bool // a hint for each
	}{
		{"a slip", 1, 2000, true},
		{"a few slips", 5, 5, true},
		{"a flood", 200, 2000, false},
	} {
		w := newWorld(t)
		w.files["acme/a.yaml"] = strings.Split(allowlist("a", "shopprod01"), "  entries:")[0] + "  entries:\n" + each("    - group: grouq%d\n", c.missing)
		w.files["acme/g.yaml"] = each("---\napiVersion: portcullis.dev/v1alpha1\nkind: AddressGroup\nmetadata: {name: group%d}\nspec: {entries: [{cidr: 203.0.113.7}]}\n", c.groups)
		w.files["globexproj/b.yaml"] = strings.Split(allowlist("b", "globexprod"), "  entries:")[0] + "  entries:\n    - group: provider/nox\n"
		hints, all, others := 0, 0, ""
		for _, f := range w.plan().Findings {
			switch {
			case f.Rule != "unknown-group":
			case f.Path != "acme/a.yaml":
				others = f.Fix
			default:
				if all++; f.Fix != "" {
					hints++
				}
			}
		}
		if all != c.missing || hints != map[bool]int{true: c.missing}[c.want] || others != "provider/noc" {
			t.Errorf("%s: %d of %d names reported, %d with a hint; the other tenant's hint is %q", c.name, all, c.missing, hints, others)
		}
	}
}

func TestClusterHintsAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 1000 {
		id := fmt.Sprintf("c%09d", i)
		w.inventory.Clusters[id] = render.Cluster{ID: id, Project: "acmeproj01", ExposeStrategy: render.ExposeLoadBalancer}
	}
	w.files["acme/a.yaml"] = allowlist("a", strings.TrimSuffix(each("d%09d, ", 500), ", "), "203.0.113.0/24")
	hints, all := 0, 0
	for _, f := range w.plan().Findings {
		if f.Rule == "unknown-cluster" {
			if all++; f.Fix != "" {
				hints++
			}
		}
	}
	if all != 500 || hints == 0 || hints > 100 {
		t.Errorf("%d of 500 reported, %d with a hint", all, hints)
	}
}

func each(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}
