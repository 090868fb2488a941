// Package render turns files into what is wanted of a seed's clusters.
//
// Render is a pure function of the files, of what was accepted before, of the
// provider's policy, of what is known of the clusters, and of the moment. It
// does no I/O, and whoever calls it decides what becomes of the plan.
//
// The way through it: files are put together by tenant (tenants.go), each
// allowlist is resolved to entries and held against the rules (resolve.go),
// files with errors are refused unless they stand as they were accepted
// (refuse.go), claims to clusters are settled (claims.go), and each cluster
// gets its list, or keeps its last good one (lists.go, held.go).
package render

import (
	"slices"
	"time"

	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// File is one file of a tenant, read and taken apart.
type File struct {
	Source string // name of the source it is from
	Tenant string // empty for a file outside any tenant's folder
	Path   string // from the repository's root
	Hash   string // of its content
	Parsed *document.Parsed
}

// FileID tells files apart: two sources can hold the same path.
type FileID struct{ Source, Path string }

// ID is the file's own.
func (f *File) ID() FileID { return FileID{f.Source, f.Path} }

// Input is everything a plan depends on.
type Input struct {
	Files []File
	// Sources are those that the files are from, for one that has none: what is
	// read again and is without files is known to be so.
	Sources []string
	// Base is what was accepted before; nil at the first time, and offline.
	Base   *Base
	Policy *policy.Policy
	// Inventory is what is known of the clusters; its zero value knows nothing.
	Inventory Inventory
	// Seed is the one to plan for; empty to judge the lists of all seeds.
	Seed string
	Now  time.Time
	// Guard holds what goes too far; nil holds nothing.
	Guard *Guard
}

// Render makes the plan.
func Render(in Input) *Plan {
	if in.Base == nil {
		in.Base = &Base{}
	}
	r := newRendering(in)
	r.settleFiles()
	for range mostRounds {
		next := newRendering(in)
		if next.late = r.yielding(); len(next.late) == len(r.late) {
			break
		}
		next.settleFiles()
		r = next
	}
	r.claim()
	return r.plan()
}

// mostRounds bounds how often names are given anew because whoever came first
// is refused; then the order of path stays.
const mostRounds = 5

// settleFiles tells which files are refused.
func (r *rendering) settleFiles() {
	r.gather()
	r.judge()
	r.refuse()
}

func newRendering(in Input) *rendering {
	return &rendering{Input: in, byName: map[string]*tenant{}, findings: map[FileID]*findings{},
		severe: map[FileID]lint.Finding{}, refused: map[FileID]bool{}, blocked: map[FileID]*Hold{}, prints: map[FileID]string{}, unsound: map[FileID]bool{}, overdue: map[FileID]bool{}, contested: map[string]Claim{}, ofTenant: map[string][]string{}, clusters: map[string][]string{}}
}

// rendering is the state of one call of Render.
type rendering struct {
	Input
	tenants  []*tenant
	byName   map[string]*tenant
	lists    []*list // in the order of path, line
	findings map[FileID]*findings
	severe   map[FileID]lint.Finding // the first error of file scope
	refused  map[FileID]bool
	blocked  map[FileID]*Hold  // why: a group's file that it needs is refused
	prints   map[FileID]string // fingerprints
	claims   map[string]*claim // by cluster
	wanted   map[string]*Wanted

	unsound map[FileID]bool // with an error besides names that are taken
	late    map[FileID]bool // that take names last: they are refused
	overdue map[FileID]bool // with lines that had expired when they were added

	contested map[string]Claim    // clusters that several lists claim: who has them
	ofTenant  map[string][]string // projects
	clusters  map[string][]string // of a tenant, on the seed
	byProject map[string][]string // clusters; made when first asked for
	trusted   map[Approved]bool   // owners whose files mean what was in force before a restart
	scratch   []Entry             // where a list's entries are gathered, one list after the other
	shelf     []Entry             // where they are kept, those of many lists
}

// report files a finding about a place in a file, with the severity that the
// policy gives the rule. Rules that are off say nothing. A fault in a document
// for another seed refuses the file here too, and is reported there.
func (r *rendering) report(f *File, p document.Problem) {
	severity := lint.SeverityOf(p.Rule, r.Policy.Rules)
	r.weigh(f.ID(), p, severity)
	if r.concerns(f, p, severity) {
		r.reportAs(f.ID(), p, severity, "")
	}
}

// weigh remembers the files with an error of file scope, and the first one.
func (r *rendering) weigh(id FileID, p document.Problem, severity lint.Severity) {
	rule, _ := lint.Lookup(p.Rule)
	if severity != lint.Error || rule.Scope != lint.File {
		return
	}
	r.unsound[id] = r.unsound[id] || p.Rule != "duplicate-name"
	if _, known := r.severe[id]; known {
		return
	}
	r.severe[id] = finding(id, p, severity, "")
}

func (r *rendering) reportAs(id FileID, p document.Problem, severity lint.Severity, cluster string) {
	if severity == lint.Off {
		return
	}
	if r.findings[id] == nil {
		r.findings[id] = &findings{}
	}
	r.findings[id].add(finding(id, p, severity, cluster))
}

func finding(id FileID, p document.Problem, severity lint.Severity, cluster string) lint.Finding {
	return lint.Finding{Source: id.Source, Path: id.Path, Line: int(p.Line), Column: int(p.Column),
		Severity: severity, Rule: p.Rule, Message: p.Message, Fix: p.Fix, Cluster: cluster}
}

// milder is the rule's severity where the change or the seed does not make it
// an error: a warning, unless the policy chose another.
func (r *rendering) milder(rule string) lint.Severity {
	if s := lint.SeverityOf(rule, r.Policy.Rules); s != lint.Error || r.Policy.Rules[rule] != "" {
		return s
	}
	return lint.Warning
}

func (r *rendering) allFindings() []lint.Finding {
	var out []lint.Finding
	for _, f := range r.findings {
		out = append(out, f.all()...)
	}
	lint.Sort(out)
	return slices.CompactFunc(out, func(a, b lint.Finding) bool { return a == b })
}
