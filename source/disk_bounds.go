package source

import (
	"slices"
	"strings"
)

// allowance is what a folder on disk took of each tenant's bounds, so that
// people hear of a folder that is too full before it is pushed.
type allowance map[string]*spent

// take counts something off a tenant's bounds and tells whether those hold.
// What is in no tenant's folder has none, see walker.take.
func (a allowance) take(tenant string, s spent) bool {
	if tenant == "" {
		return true
	}
	if a[tenant] == nil {
		a[tenant] = &spent{}
	}
	a[tenant].add(s)
	return !a[tenant].overATenants()
}

// exceed has a tenant's folder refused: something in it is beyond another bound.
func (a allowance) exceed(tenant string) { a.take(tenant, spent{lines: MaxTenantEntries + 1}) }

// over tells whether a tenant's folder is refused as a whole.
func (a allowance) over(tenant string) bool {
	s := a[tenant]
	return s != nil && s.overATenants()
}

// home is the tenant's folder, as a path from the root.
func (d disk) home(tenant string) string {
	if d.tenant != "" {
		return "."
	}
	return tenant
}

// tooDeep tells whether a folder is below more folders than are looked into.
func (d disk) tooDeep(rel string) bool {
	deep := strings.Count(rel, "/")
	if d.tenant != "" {
		deep++ // all of it is the tenant's folder
	}
	return deep > maxDepth
}

// refuse puts one entry in the place of each tenant's files that are too many.
func (d disk) refuse() {
	d.snap.Files = slices.DeleteFunc(d.snap.Files, func(e Entry) bool { return d.taken.over(e.Tenant) })
	for tenant := range d.taken {
		if d.taken.over(tenant) {
			d.snap.Files = append(d.snap.Files, Entry{Path: d.home(tenant), Tenant: tenant, Kind: Overfull})
		}
	}
}
