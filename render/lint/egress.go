package lint

import (
	"fmt"
	"strings"

	"github.com/portcullis-gitops/portcullis/render/document"
)

// Egress is what is known, besides the file, of where the nodes of an
// allowlist's clusters come from.
type Egress struct {
	// Provided is set where the provider's own ranges hold the nodes of all the
	// list's clusters.
	Provided bool
	// First are the titles of clusters that have no list yet, and whose nodes
	// the provider's ranges do not hold: those would be locked out at once.
	First []string
}

// nodeEgressMissing: nodes reach the API server through the same load balancer
// as everybody. At a first restriction they are cut off the moment the list is
// in force; a list in force without them works, one way or another.
func nodeEgressMissing(a *Allowlist) []Problem {
	if !a.Policy.Require.NodeEgress || !a.restricted() || !a.Doc.Spec.Set || a.Egress.Provided || a.saysEgress() {
		return nil
	}
	p := Problem{Severity: Warning, Problem: document.Problem{Pos: a.egressKey(),
		Message: "the list does not say where the clusters' own nodes come from: they use the same load balancer, and without them nodes go NotReady, and kubectl logs and exec end",
		Fix:     "nodeEgress: [their addresses]; or nodeEgress: none, where they do not come through the load balancer"}}
	if len(a.Egress.First) > 0 {
		p.Severity = Error
		p.Message += fmt.Sprintf("; %s would be restricted for the first time", some(a.Egress.First))
	}
	return []Problem{p}
}

// saysEgress tells whether the file says anything of it, be it wrong, which is
// reported as what it is.
func (a *Allowlist) saysEgress() bool {
	n := a.Doc.Spec.NodeEgress
	return n.Pos != document.Pos{} && (!n.Else.Set || len(n.Else.Items) > 0)
}

func (a *Allowlist) egressKey() document.Pos {
	if key := a.Doc.Spec.NodeEgress.Key; key != (document.Pos{}) {
		return key
	}
	return a.Doc.Spec.Or(a.Doc.Pos)
}

// some shows the first of many.
func some(names []string) string {
	const shown = 3
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}
