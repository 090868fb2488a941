package console

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/document"
)

// snippet is a piece of a list to begin with.
type snippet struct {
	Name, Title string
	text        string // one line, without its place
	egress      bool
}

// These addresses are nobody's (RFC 5737): who takes a snippet over as it is lets
// nobody in. Each is another one, for two of the same are a finding.
const (
	example           = "203.0.113.10"
	addressExample    = "203.0.113.20"
	contractorExample = "198.51.100.10"
	nodesExample      = "192.0.2.10"
)

// contractorStays is until when a snippet's contractor does.
const contractorStays = 14 * 24 * time.Hour

func snippets(q *request, page *draftPage) []snippet {
	address := page.Caller
	if address == "" {
		address = addressExample
	}
	until := q.now.Add(contractorStays).UTC().Format(time.DateOnly)
	out := []snippet{
		{Name: "address", Title: "An address", text: fmt.Sprintf("- {description: Office, cidr: %s}", quoted(address))},
		{Name: "contractor", Title: "A contractor, until a date", text: fmt.Sprintf("- {description: Contractor, cidr: %s, expires: %s}", contractorExample, until)},
		{Name: "nodes", Title: "My nodes", text: "nodeEgress: [" + nodesExample + "]   # where the cluster's own nodes come from", egress: true},
	}
	if group := q.someGroup(page.Tenant); group != "" {
		out = append(out, snippet{Name: "group", Title: "A group", text: "- group: " + group})
	}
	return out
}

// quoted keeps an IPv6 address one value of a flow mapping.
func quoted(address string) string {
	if strings.Contains(address, ":") {
		return `"` + address + `"`
	}
	return address
}

// someGroup is a group that the tenant's lists can name: its own before the
// provider's.
func (x *index) someGroup(tenant string) string {
	for _, f := range x.Files {
		if f.Tenant != tenant {
			continue
		}
		for _, g := range f.Parsed.Groups {
			if document.ValidName(g.Metadata.Name.V) {
				return g.Metadata.Name.V
			}
		}
	}
	var names []string
	for name := range x.Policy.Groups {
		names = append(names, name)
	}
	if slices.Sort(names); len(names) > 0 {
		return "provider/" + names[0]
	}
	return ""
}

var (
	entriesLine = regexp.MustCompile(`(?m)^( *)entries: *(?:#.*)?\n`)
	egressLine  = regexp.MustCompile(`(?m)^( *)nodeEgress:.*$`)
	entryLine   = regexp.MustCompile(`^( *)- `)
)

// insert puts a snippet in its place: an entry first among the entries, node
// egress where it stands, or before them; at the end where there is no place.
func (p *draftPage) insert(name string) {
	i := slices.IndexFunc(p.Snippets, func(s snippet) bool { return s.Name == name })
	if i < 0 {
		return
	}
	s := p.Snippets[i]
	if s.egress && egressLine.MatchString(p.YAML) {
		p.YAML = egressLine.ReplaceAllString(p.YAML, "${1}"+s.text)
		return
	}
	at := entriesLine.FindStringSubmatchIndex(p.YAML)
	switch {
	case at == nil:
		p.YAML = strings.TrimRight(p.YAML, "\n") + "\n" + s.text + "\n"
	case s.egress:
		p.YAML = p.YAML[:at[0]] + p.YAML[at[2]:at[3]] + s.text + "\n" + p.YAML[at[0]:]
	default:
		indent := p.YAML[at[2]:at[3]] + "  "
		if m := entryLine.FindStringSubmatch(p.YAML[at[1]:]); m != nil {
			indent = m[1]
		}
		p.YAML = p.YAML[:at[1]] + indent + s.text + "\n" + p.YAML[at[1]:]
	}
}

// starter is a list to begin with: for the cluster that is asked for, else for
// one of the tenant's that no list has. Where its nodes come from is left to say:
// a value that passed would cut them off from whoever took it over unread.
func starter(q *request, tenant, cluster string) string {
	known, there := q.Inventory.Clusters[cluster]
	if !there || q.tenancy.tenant(known.Project) != tenant {
		known, cluster = q.unlisted(tenant)
	}
	id, note := "[]", ""
	if cluster != "" {
		id = "[" + cluster + "]"
		if plainName.MatchString(known.Name) {
			note = "   # " + known.Name
		}
	}
	return fmt.Sprintf(`apiVersion: portcullis.dev/v1alpha1
kind: Allowlist
metadata: {name: my-list}
spec:
  seed: %s
  clusters: %s%s
  entries:
    - {description: Office, cidr: %s}
`, q.Seed, id, note, example)
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._-]{0,60}$`)

// unlisted is the first of a tenant's clusters that no list has; else its first.
func (x *index) unlisted(tenant string) (render.Cluster, string) {
	first, free := "", ""
	for id, c := range x.Inventory.Clusters {
		if tenant == "" || x.tenancy.tenant(c.Project) != tenant {
			continue
		}
		if first == "" || id < first {
			first = id
		}
		if x.Plan.Clusters[id] == nil && (free == "" || id < free) {
			free = id
		}
	}
	if free == "" {
		free = first
	}
	return x.Inventory.Clusters[free], free
}
