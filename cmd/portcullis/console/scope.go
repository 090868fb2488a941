package console

import (
	"maps"
	"slices"
	"strings"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// scope is what a viewer may see: everything, or some projects.
type scope struct {
	all      bool
	projects []string // sorted, each once
}

func everything() scope { return scope{all: true} }

func onlyProjects(projects []string) scope {
	slices.Sort(projects)
	return scope{projects: slices.Compact(projects)}
}

// key tells scopes apart.
func (s scope) key() string {
	if s.all {
		return "*"
	}
	return strings.Join(s.projects, ",") // header values: no commas in them
}

func (s scope) sees(project string) bool {
	_, found := slices.BinarySearch(s.projects, project)
	return s.all || found && project != ""
}

func (s scope) seesCluster(c render.Cluster) bool { return s.sees(c.Project) }

// owns tells whether all projects of a tenant may be seen: its files speak of
// all of them.
func (s scope) owns(tenant string, t *tenancy) bool {
	if s.all {
		return true
	}
	projects := t.projects(tenant)
	return tenant != "" && len(projects) > 0 && !slices.ContainsFunc(projects, func(project string) bool { return !s.sees(project) })
}

// tenancy is whose the projects are, as policy.Policy has it (Projects,
// TenantOf), in maps: it is asked for each cluster of a seed.
type tenancy struct {
	named  map[string][]string
	owners map[string]string
}

func newTenancy(p *policy.Policy) *tenancy {
	t := &tenancy{named: p.Tenants, owners: map[string]string{}}
	for _, tenant := range slices.Sorted(maps.Keys(p.Tenants)) {
		for _, project := range p.Tenants[tenant] {
			if _, taken := t.owners[project]; !taken {
				t.owners[project] = tenant
			}
		}
	}
	return t
}

// tenant is the one that has a project; empty where none can have it.
func (t *tenancy) tenant(project string) string {
	if owner, ok := t.owners[project]; ok {
		return owner
	}
	if _, other := t.named[project]; other {
		return ""
	}
	return project
}

// projects are a tenant's.
func (t *tenancy) projects(tenant string) []string {
	if named, ok := t.named[tenant]; ok {
		return named
	}
	if _, taken := t.owners[tenant]; taken {
		return nil
	}
	return []string{tenant}
}
