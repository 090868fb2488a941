package lint_test

import (
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/render/lint"
)

// specified are the rules as the design has them: E, W or - for off, with !
// where nobody can change it. Those that are to come are here already.
const specified = `
file
  yaml-syntax E! · duplicate-key E! · conflicting-fields E! · yaml-alias E! · unknown-field E! · missing-field E! · wrong-type E!
  unsupported-version E! · file-too-large E! · not-a-file E! · invalid-name E! · unsafe-text E · duplicate-name E!
  invalid-address E! · host-bits E! · ipv4-mapped E!
  unknown-group E! · empty-list E! · expires-to-open E! · open-world E! · too-wide E · too-many-entries E · forbidden-range E!
  open-not-allowed E! · owner-required E · expiry-required E · invalid-date E! · unknown-seed E! · test-failed E · canary-failed E!
  node-egress-missing E
  duplicate-entry W · covered-entry W · special-range W · expired W · expires-soon - · unused-group W · stray-file W
cluster
  foreign-cluster E! · unknown-cluster E · cluster-claimed-twice E! · unsupported-expose-strategy E · removed-allowlist E
  rule-budget E · not-enforced E · family-unsupported E · family-gap W · merge-conflict E!
config
  invalid-config E!
`

// besides are rules that the design speaks of elsewhere: what policy permits
// of selectors, and what a dry run is answered.
const besides = `
file
  selector-not-allowed E!
cluster
  refused-by-kkp E!
`

// required are those without which files would do what they must not.
var required = strings.Fields(`yaml-syntax duplicate-key conflicting-fields yaml-alias unknown-field missing-field wrong-type
	unsupported-version file-too-large not-a-file invalid-name unsafe-text duplicate-name invalid-address host-bits ipv4-mapped
	unknown-group empty-list expires-to-open open-world open-not-allowed invalid-date unknown-seed test-failed stray-file
	foreign-cluster unknown-cluster cluster-claimed-twice unsupported-expose-strategy removed-allowlist invalid-config`)

func table(text string) map[string]lint.Rule {
	severities := map[byte]lint.Severity{'E': lint.Error, 'W': lint.Warning, '-': lint.Off}
	out := map[string]lint.Rule{}
	var scope lint.Scope
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if !strings.HasPrefix(line, " ") {
			scope = lint.Scope(line)
			continue
		}
		for _, cell := range strings.Split(line, "·") {
			name, mark, _ := strings.Cut(strings.TrimSpace(cell), " ")
			out[name] = lint.Rule{Name: name, Scope: scope, Severity: severities[mark[0]], Fixed: strings.HasSuffix(mark, "!")}
		}
	}
	return out
}

func TestRulesAreAsSpecified(t *testing.T) {
	t.Parallel()
	want := table(specified)
	for name, r := range table(besides) {
		want[name] = r
	}
	for _, got := range lint.Rules {
		r, known := want[got.Name]
		if !known {
			t.Errorf("%s is not specified", got.Name)
			continue
		}
		r.What = got.What
		if got != r {
			t.Errorf("got %+v, want %+v", got, r)
		}
	}
}

func TestRulesAreNamedOnceAndExplained(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range lint.Rules {
		if seen[r.Name] {
			t.Errorf("%s is there twice", r.Name)
		}
		seen[r.Name] = true
		if r.What == "" || strings.HasSuffix(r.What, ".") || strings.ToLower(r.What[:1]) != r.What[:1] && !strings.HasPrefix(r.What, "IPv4") {
			t.Errorf("%s: %q does not say in a few words what it refuses", r.Name, r.What)
		}
	}
	for _, name := range required {
		if !seen[name] {
			t.Errorf("there is no rule %s", name)
		}
	}
}

func TestSeverityOf(t *testing.T) {
	t.Parallel()
	chosen := map[string]string{"stray-file": "error", "unsafe-text": "warning", "test-failed": "off", "host-bits": "off", "foreign-cluster": "warning"}
	for rule, want := range map[string]lint.Severity{
		"stray-file":      lint.Error,
		"unsafe-text":     lint.Warning,
		"test-failed":     lint.Off,
		"host-bits":       lint.Error, // cannot be changed
		"foreign-cluster": lint.Error, // nor can this
		"unknown-cluster": lint.Error, // nobody asked
	} {
		if got := lint.SeverityOf(rule, chosen); got != want {
			t.Errorf("%s: got %s, want %s", rule, got, want)
		}
	}
}

func TestChangeable(t *testing.T) {
	t.Parallel()
	for rule, want := range map[string][2]bool{
		"stray-file": {true, true},
		"host-bits":  {true, false},
		"hostbits":   {false, false},
		"":           {false, false},
	} {
		known, changeable := lint.Changeable(rule)
		if got := [2]bool{known, changeable}; got != want {
			t.Errorf("%q: got known, changeable %v, want %v", rule, got, want)
		}
	}
}

func TestSortAndString(t *testing.T) {
	t.Parallel()
	findings := []lint.Finding{
		{Path: "b.yaml", Line: 1, Column: 1, Severity: lint.Error, Rule: "a", Message: "m"},
		{Path: "a.yaml", Line: 10, Column: 1, Severity: lint.Error, Rule: "a", Message: "m"},
		{Path: "a.yaml", Line: 9, Column: 10, Severity: lint.Warning, Rule: "a", Message: "m"},
		{Path: "a.yaml", Line: 9, Column: 9, Severity: lint.Error, Rule: "b", Message: "m"},
		{Path: "a.yaml", Line: 9, Column: 9, Severity: lint.Error, Rule: "a", Message: "n"},
		{Path: "a.yaml", Line: 9, Column: 9, Severity: lint.Error, Rule: "a", Message: "m"},
	}
	lint.Sort(findings)
	want := []string{
		"a.yaml:9:9: error[a]: m", "a.yaml:9:9: error[a]: n", "a.yaml:9:9: error[b]: m",
		"a.yaml:9:10: warning[a]: m", "a.yaml:10:1: error[a]: m", "b.yaml:1:1: error[a]: m",
	}
	for i, f := range findings {
		if f.String() != want[i] {
			t.Errorf("at %d: got %s, want %s", i, f, want[i])
		}
	}
}
