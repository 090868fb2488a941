package render_test

import (
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/render"
)

// A refused file comes by no name that a valid one says too, wherever it is by
// path; one that had the name before keeps it.
func TestNameOfARefusedFile(t *testing.T) {
	t.Parallel()
	good, wide := allowlist("same", "shoptest01", "198.51.100.0/24"), allowlist("same", "shopprod01", "203.0.113.0/24", "0.0.0.0/1")
	hostBits := allowlist("same", "shopprod01", "203.0.113.7/24")
	for name, row := range map[string]struct {
		before, after map[string]string
		want          []string
	}{
		"refused for its form": {nil, map[string]string{"acme/a.yaml": hostBits, "acme/b.yaml": good},
			[]string{"acme/a.yaml:3:18 error duplicate-name", "acme/a.yaml:8:14 error host-bits"}},
		"refused for what it lets in": {nil, map[string]string{"acme/a.yaml": wide, "acme/b.yaml": good},
			[]string{"acme/a.yaml:3:18 error duplicate-name", "acme/a.yaml:9:14 error open-world"}},
		"refused for another name": {map[string]string{"acme/z.yaml": allowlist("z", "shopprod01", "203.0.113.0/24")},
			map[string]string{"acme/a.yaml": allowlist("z", "shopprod01", "203.0.113.0/24") + "---\n" + allowlist("same", "shopprod01", "203.0.113.0/24"),
				"acme/b.yaml": good, "acme/z.yaml": allowlist("z", "shopprod01", "203.0.113.0/24")},
			[]string{"acme/a.yaml:3:18 error duplicate-name", "acme/a.yaml:12:18 error duplicate-name"}},
		"a group's": {nil, map[string]string{"acme/a.yaml": group("vpn", "10.0.0.1/8"), "acme/b.yaml": group("vpn", "198.51.100.0/24"),
			"acme/c.yaml": strings.Replace(allowlist("c", "shoptest01", "198.51.100.0/24"), "cidr: \"198.51.100.0/24\"", "group: vpn", 1)},
			[]string{"acme/a.yaml:3:18 error duplicate-name", "acme/a.yaml:4:27 error host-bits"}},
		"both are refused": {nil, map[string]string{"acme/a.yaml": hostBits, "acme/b.yaml": wide},
			[]string{"acme/a.yaml:8:14 error host-bits", "acme/b.yaml:3:18 error duplicate-name", "acme/b.yaml:9:14 error open-world"}},
		"it had the name": {map[string]string{"acme/a.yaml": allowlist("same", "shopprod01", "203.0.113.0/24")},
			map[string]string{"acme/a.yaml": hostBits, "acme/b.yaml": good},
			[]string{"acme/a.yaml:8:14 error host-bits", "acme/b.yaml:3:18 error duplicate-name"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if w.files = row.before; w.files != nil {
				w.plan()
			}
			w.files = row.after
			p := w.plan()
			wantFindings(t, p, row.want...)
			valid := !strings.HasPrefix(name, "both") && !strings.HasPrefix(name, "it had")
			if valid {
				wantList(t, p, "shoptest01", "198.51.100.0/24")
			}
			if c := p.Clusters["shoptest01"]; !valid && c != nil && c.Writes() {
				t.Errorf("a list without the name is written: %+v", c)
			}
			wantFindings(t, w.plan(), row.want...)
			w.restart(p)
			wantFindings(t, w.plan(), row.want...)
		})
	}
}

// Names that are refused in turn are settled in so many rounds, and no more.
func TestNamesGivenInAChain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 20 { // each takes the next one's name, and its own is taken by the one before
		this, next := string(rune('a'+i)), string(rune('a'+i+1))
		w.files["acme/"+this+".yaml"] = group("g"+this, "198.51.100.0/24") + "---\n" + group("g"+next, "198.51.100.0/24")
	}
	w.files["acme/a.yaml"] += "---\n" + group("x", "198.51.100.7/24")
	p := w.plan()
	if len(p.Refused) == 0 || !p.Refused[render.FileID{Source: "s", Path: "acme/a.yaml"}] {
		t.Errorf("refused: %v", p.Refused)
	}
	again := w.plan()
	if len(again.Findings) != len(p.Findings) {
		t.Errorf("the same again finds %d, was %d", len(again.Findings), len(p.Findings))
	}
}

const eastList = "apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nmetadata: {name: east}\nspec:\n  seed: us-east\n  clusters: [eastprod01]\n  entries: [{cidr: 203.0.113.0/24}]\n"

// A finding is reported by the seed that its document names, and by each whose
// lists it refuses; by no other.
func TestWhoseFindingItIs(t *testing.T) {
	t.Parallel()
	broken := strings.Replace(eastList, "113.0/24", "113.1/24", 1)
	west := allowlist("west", "shopprod01", "198.51.100.0/24")
	usesGroup := strings.Replace(west, "cidr: \"198.51.100.0/24\"", "group: vpn", 1)
	for name, row := range map[string]struct {
		files      map[string]string
		west, east []string
	}{
		"a name taken on another seed": {map[string]string{"acme/a.yaml": eastList, "acme/b.yaml": eastList, "acme/w.yaml": west},
			nil, []string{"acme/b.yaml:3:18 error duplicate-name"}},
		"a list of its own is refused with it": {map[string]string{"acme/a.yaml": west + "---\n" + broken},
			[]string{"acme/a.yaml:16:20 error host-bits"}, []string{"acme/a.yaml:16:20 error host-bits"}},
		"none of its own is": {map[string]string{"acme/a.yaml": broken, "acme/w.yaml": west},
			nil, []string{"acme/a.yaml:7:20 error host-bits"}},
		"a group that its lists use is refused with it": {map[string]string{"acme/a.yaml": broken + "---\n" + group("vpn", "203.0.113.0/24"), "acme/w.yaml": usesGroup},
			[]string{"acme/a.yaml:7:20 error host-bits"}, []string{"acme/a.yaml:7:20 error host-bits"}},
		"a warning refuses nothing": {map[string]string{"acme/a.yaml": west + "---\n" + strings.Replace(eastList, "cidr: 203.0.113.0/24", "cidrs: [203.0.113.0/24, 203.0.113.0/24]", 1)},
			nil, []string{"acme/a.yaml:16:38 warning duplicate-entry"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed, want := range map[string][]string{"eu-west": row.west, "us-east": row.east} {
				w := newWorld(t)
				w.files, w.seed, w.inventory = row.files, seed, render.Inventory{}
				wantFindings(t, w.plan(), want...)
			}
		})
	}
}

// Without a seed to plan for, clusters are told apart by it: what a refused file
// had is found again.
func TestLastGoodListOfAllSeeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.seed, w.inventory = "", render.Inventory{}
	w.files["acme/a.yaml"] = allowlist("a", "shopprod01", "203.0.113.0/24")
	wantList(t, w.plan(), "eu-west/shopprod01", "203.0.113.0/24")
	w.files["acme/a.yaml"] = allowlist("a", "shopprod01", "203.0.113.1/24")
	p := w.plan()
	wantHeld(t, p, "eu-west/shopprod01", "host-bits")
	wantList(t, p, "eu-west/shopprod01", "203.0.113.0/24")
	w.files["acme/a.yaml"] = "# nothing\n"
	p = w.plan()
	wantHeld(t, p, "eu-west/shopprod01", "removed-allowlist")
	wantList(t, p, "eu-west/shopprod01", "203.0.113.0/24")
	if got := p.Clusters["eu-west/shopprod01"].Cluster; got != "shopprod01" {
		t.Errorf("it is called %q", got)
	}
}
