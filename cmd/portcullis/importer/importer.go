// Package importer turns the lists that are live on a seed into files, so that
// an existing installation can start: what the files mean is what is live, and
// a first sync adds the platform's ranges and nothing else.
//
// It decides and writes nothing itself. Whatever it hands out passes the rules
// beside what is in the folder already; what would not is named, with why.
package importer

import (
	"cmp"
	"fmt"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/render/prefixes"
)

// Importer makes files of what is live. It knows what the folder holds already
// and what that means, so that nothing is claimed twice.
type Importer struct {
	Dir       string // the folder as its user names it; paths begin with it
	Seed      string // its name, for the files; empty where they name none
	Policy    *policy.Policy
	Inventory render.Inventory
	Now       time.Time
	Files     []render.File // in the folder
	// Found are the clusters looked at, by project and ID.
	Found []*Cluster

	before *render.Plan // of Files
}

// Outcome is what becomes of a cluster.
type Outcome int

// The outcomes.
const (
	Written      Outcome = iota // a file is to be made
	InGit                       // the folder has the cluster, and means what is live
	Left                        // the folder has it, and means something else
	NotImported                 // its list cannot be a file
	Unrestricted                // it has no list
)

// Cluster is one cluster of the seed and the file it becomes.
type Cluster struct {
	Cluster render.Cluster
	Outcome Outcome
	Reason  string             // why the list is not in a file of ours; else empty
	Path    string             // of the file, below the folder, with slashes; empty where there can be none
	Text    string             // of the file
	Own     []netip.Prefix     // what the file lists; none: access: unmanaged
	KeptOut []document.Problem // of the live list: what cannot be made a canonical prefix
	Changed []Changed          // of the live list: what was made one

	tenant   string
	platform []policy.Platform
}

// Changed is a live value that is written in another form.
type Changed struct {
	Raw    string
	Prefix netip.Prefix // that lets in what the value does
}

// String says it in one line; Raw is quoted.
func (c Changed) String() string {
	return fmt.Sprintf("%q is written as %s, which is what it lets in", c.Raw, c.Prefix)
}

// canonical is the prefix that a live value stands for. White space around it and
// bits behind its length pass the API server's older parser (Kubernetes 1.36
// refuses them), and everybody reads the same from them: the network. What is
// read in several ways, such as IPv4 in IPv6 or leading zeros, stands for
// nothing that could be written.
func canonical(raw string) (netip.Prefix, *document.Problem) {
	p, problem := document.ParsePrefix(strings.TrimSpace(raw))
	if problem != nil && problem.Rule == "host-bits" {
		return p.Masked(), nil
	}
	return p, problem
}

// Leave keeps a file as it is.
func (c *Cluster) Leave(reason string)  { c.Outcome, c.Reason = Left, reason }
func (c *Cluster) refuse(reason string) { c.Outcome, c.Reason = NotImported, reason }

// Content is what the file says, in a few words.
func (c *Cluster) Content() string {
	switch len(c.Own) {
	case 0:
		return "access: unmanaged"
	case 1:
		return "1 prefix"
	}
	return fmt.Sprintf("%d prefixes", len(c.Own))
}

// Shown is the path of a cluster's file, as the user knows the folder.
func (im *Importer) Shown(c *Cluster) string {
	return filepath.ToSlash(filepath.Join(im.Dir, filepath.FromSlash(c.Path)))
}

// Count is how many clusters have that outcome.
func (im *Importer) Count(o Outcome) (n int) {
	for _, c := range im.Found {
		if c.Outcome == o {
			n++
		}
	}
	return n
}

// Incomplete tells whether some live list is not in a file, or not all of it.
func (im *Importer) Incomplete() bool {
	return slices.ContainsFunc(im.Found, func(c *Cluster) bool {
		return c.Reason != "" || len(c.KeptOut) > 0
	})
}

// Look decides about the clusters of the seed, or of one project where it is
// not empty. With all, those whose list is not to be a file get one that leaves
// it alone.
func (im *Importer) Look(project string, all bool) {
	im.before = im.render(im.Files)
	for _, cluster := range im.Inventory.Clusters {
		if !cluster.Deleting && (project == "" || cluster.Project == project) {
			im.Found = append(im.Found, im.look(cluster))
		}
	}
	slices.SortFunc(im.Found, func(a, b *Cluster) int {
		return cmp.Or(cmp.Compare(a.Cluster.Project, b.Cluster.Project), cmp.Compare(a.Cluster.ID, b.Cluster.ID))
	})
	im.verify()
	if all {
		im.leaveAlone()
	}
}

// leaveAlone makes a file for each cluster that has none: access: unmanaged.
func (im *Importer) leaveAlone() {
	for _, c := range im.Found {
		if c.Outcome == Unrestricted || c.Outcome == NotImported && c.Path != "" {
			c.Outcome, c.Own = Written, nil
		}
	}
	im.verify()
}

// render is the plan of some files on this seed.
func (im *Importer) render(files []render.File) *render.Plan {
	seed := im.Seed
	if seed == "" {
		seed = "unnamed"
	}
	return render.Render(render.Input{Files: files, Base: render.Restore("", nil, nil, nil, nil, nil), Policy: im.Policy,
		Inventory: im.Inventory, Seed: seed, Now: im.Now})
}

// look decides about one cluster, without its file's being judged yet.
func (im *Importer) look(cluster render.Cluster) *Cluster {
	c := &Cluster{Cluster: cluster}
	if !im.place(c) {
		return c
	}
	c.platform = im.platform(cluster.Datacenter)
	im.values(c)
	switch {
	case im.claimed(c):
	case im.taken(c):
		c.Leave("a file is there already, and it does not name the cluster")
	case len(cluster.Live.CIDRs) == 0:
		c.Outcome = Unrestricted
	case len(c.Own) == 0 && len(c.KeptOut) > 0:
		c.refuse("no value of its list is a canonical prefix")
	case len(c.Own) == 0:
		c.refuse("its list holds ranges of the provider's alone, and a file needs one of its own")
	}
	return c
}

// place finds the file's path. Names come from the seed, where project users
// can have a say: only such that are names become one.
func (im *Importer) place(c *Cluster) bool {
	tenant, ok := im.Policy.TenantOf(c.Cluster.Project)
	switch {
	case !document.ValidCluster(c.Cluster.ID):
		c.refuse("its ID is no name that a file can have for a cluster")
	case !document.ValidName(c.Cluster.Project):
		c.refuse("its project is no name that a folder can have: " + fmt.Sprintf("%q", c.Cluster.Project))
	case !ok:
		c.refuse("no tenant has the project " + c.Cluster.Project + ": its name is that of a tenant with other projects")
	default:
		c.tenant, c.Path = tenant, path.Join(tenant, c.Cluster.ID+".yaml")
	}
	return c.Outcome != NotImported
}

// values finds the prefixes that are the tenant's own, and what cannot be one.
func (im *Importer) values(c *Cluster) {
	provided := im.provided(c)
	for _, raw := range c.Cluster.Live.CIDRs {
		p, problem := canonical(raw)
		if problem != nil {
			c.KeptOut = append(c.KeptOut, *problem)
			continue
		}
		if _, odd := document.ParsePrefix(raw); odd != nil {
			c.Changed = append(c.Changed, Changed{raw, p})
		}
		if !prefixes.Covers(provided, p) {
			c.Own = append(c.Own, p)
		}
	}
	c.Own = prefixes.Canonical(c.Own)
}

// provided is what is let in whatever the file says.
func (im *Importer) provided(c *Cluster) []netip.Prefix {
	out := im.added()
	for _, p := range c.platform {
		out = append(out, p.Prefix)
	}
	return out
}

// added is what KKP lets in beside a list.
func (im *Importer) added() []netip.Prefix {
	s := im.Inventory.Seed
	return append(render.Prefixes(s.Source), render.Prefixes(s.Default)...)
}

func (im *Importer) platform(datacenter string) []policy.Platform {
	var out []policy.Platform
	for _, p := range im.Policy.Seeds[im.Seed].Platform {
		if len(p.Datacenters) == 0 || slices.Contains(p.Datacenters, datacenter) {
			out = append(out, p)
		}
	}
	return out
}

// admitted is who gets in now, as far as the live list can be understood.
func (im *Importer) admitted(c *Cluster) []netip.Prefix {
	out := im.added()
	for _, raw := range c.Cluster.Live.CIDRs {
		if p, problem := canonical(raw); problem == nil {
			out = append(out, p)
		}
	}
	return out
}

// claimed tells whether a file of the folder names the cluster, and whether
// that means what is live.
func (im *Importer) claimed(c *Cluster) bool {
	for _, f := range im.Files {
		for _, a := range f.Parsed.Allowlists {
			if !im.names(a, c.Cluster.ID) {
				continue
			}
			if w := im.before.Clusters[c.Cluster.ID]; w != nil && w.Claim.Path == f.Path && im.same(c, w) {
				c.Outcome = InGit
			} else {
				c.Leave(f.Path + " names the cluster already, and means something else than what is live")
			}
			return true
		}
	}
	return false
}

// names tells whether a list names the cluster of this seed.
func (im *Importer) names(a *document.Allowlist, id string) bool {
	if seed := a.Spec.Seed; seed.Set && im.Seed != "" && seed.V != im.Seed {
		return false
	}
	return slices.ContainsFunc(a.Spec.Clusters.Items, func(v document.Value[string]) bool { return v.V == id })
}

// taken tells whether something has the path already.
func (im *Importer) taken(c *Cluster) bool {
	_, err := os.Lstat(filepath.FromSlash(im.Shown(c)))
	return err == nil
}

// same tells whether what is wanted of the cluster lets in what is live and
// the platform, and nobody else.
func (im *Importer) same(c *Cluster, w *render.Wanted) bool {
	if w.Held != nil {
		return false
	}
	if w.Access == render.Unmanaged {
		return true
	}
	live := im.admitted(c)
	if w.Access != render.Restricted || len(c.Cluster.Live.CIDRs) == 0 {
		return false
	}
	return slices.Equal(union(append(live, im.provided(c)...)), union(append(im.added(), w.List...)))
}

func union(list []netip.Prefix) []netip.Prefix {
	return prefixes.MergeAdjacent(prefixes.Canonical(list))
}

// verify holds the new files against the rules, beside those that are there,
// and drops what would not pass or would not mean what is live.
func (im *Importer) verify() {
	files := slices.Clone(im.Files)
	byPath := map[string]*Cluster{}
	for _, c := range im.Found {
		if c.Outcome == Written {
			c.Text = im.file(c)
			byPath[im.Shown(c)] = c
			files = append(files, render.File{Tenant: c.tenant, Path: im.Shown(c), Hash: c.Text, Parsed: document.Parse([]byte(c.Text))})
		}
	}
	plan := im.render(files)
	for _, f := range plan.Findings {
		if c := byPath[f.Path]; c != nil && f.Severity == lint.Error && c.Outcome == Written {
			c.refuse(fmt.Sprintf("check would refuse the file: %s[%s]: %s", f.Severity, f.Rule, f.Message))
		}
	}
	for _, c := range byPath {
		if w := plan.Clusters[c.Cluster.ID]; c.Outcome == Written && (w == nil || !im.same(c, w)) {
			c.refuse("a file would not mean what is live")
		}
	}
}

// Additions are the addresses that a first sync would let in besides, with the
// clusters of each, and their order.
func (im *Importer) Additions() (clusters map[string][]string, order []string) {
	clusters = map[string][]string{}
	for _, c := range im.Found {
		if c.Outcome != Written || len(c.Own) == 0 {
			continue
		}
		live := im.admitted(c)
		for _, p := range c.platform {
			if prefixes.Covers(live, p.Prefix) {
				continue
			}
			what := p.Prefix.String() + " (platform)"
			if p.Description != "" {
				what = fmt.Sprintf("%s (platform: %s)", p.Prefix, p.Description)
			}
			if clusters[what] == nil {
				order = append(order, what)
			}
			clusters[what] = append(clusters[what], c.Cluster.ID)
		}
	}
	return clusters, order
}
