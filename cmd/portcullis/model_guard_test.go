package main

import (
	"net/netip"
	"slices"
	"time"
)

// mGuard is what keeps lists that are right from being written.
type mGuard struct {
	// clusters and percent are the blast radius: more than both are too many.
	clusters, percent int
	// frozen are the ends of freezes by cluster; "*" is the seed.
	frozen map[string]time.Time
}

// holds are the clusters that do not get what is asked for them: those that are
// frozen, and those of who goes too far, unless that was approved.
func (m *model) holds(asked map[string]*mGood, approved bool) map[string]bool {
	out := map[string]bool{}
	for id, good := range asked {
		if c := m.clusters[id]; m.isFrozen(id) && m.isNew(c, good) && !m.tightens(c, good) {
			out[id] = true
		}
	}
	if approved {
		return out
	}
	var rest []string
	for _, tenant := range modelTenants() {
		hit := m.harmed(asked, out, tenant)
		switch {
		case !m.tooMany(len(hit), tenant):
			rest = append(rest, hit...)
		default:
			m.holdAll(asked, out, tenant)
		}
	}
	tooFar := m.tooMany(len(rest), "")
	for _, id := range rest {
		if c := m.clusters[id]; tooFar || c.held && m.stillHarms(c, asked[id]) {
			out[id], c.held = true, true
		}
	}
	return out
}

// holdAll holds all that a tenant would get.
func (m *model) holdAll(asked map[string]*mGood, held map[string]bool, tenant string) {
	for id, good := range asked {
		if c := m.clusters[id]; c.tenant == tenant && good.access != unmanaged && m.isNew(c, good) {
			held[id], c.held = true, true
		}
	}
}

// harmed are a tenant's clusters that count against the limit.
func (m *model) harmed(asked map[string]*mGood, but map[string]bool, tenant string) (out []string) {
	for id, good := range asked {
		c := m.clusters[id]
		if c.tenant != tenant || but[id] || !c.exposed || good.access == unmanaged || !m.isNew(c, good) {
			continue
		}
		if m.harms(c, good) || c.held && m.stillHarms(c, good) {
			out = append(out, id)
		}
	}
	return out
}

func (m *model) tooMany(n int, tenant string) bool {
	of := 0
	for _, c := range m.clusters {
		if c.exposed && (tenant == "" || c.tenant == tenant) {
			of++
		}
	}
	return n > m.guard.clusters && n*100 > m.guard.percent*of
}

// tooFar tells whether a commit goes too far by what all tenants do together,
// where what is followed did not.
func (m *model) tooFar(files tree) bool { return m.areTooFar(files) && !m.areTooFar(m.accepted) }

func (m *model) areTooFar(files tree) bool {
	asked, n := m.asks(files), 0
	for _, tenant := range modelTenants() {
		if hit := m.harmed(asked, nil, tenant); !m.tooMany(len(hit), tenant) {
			n += len(hit)
		}
	}
	return m.tooMany(n, "")
}

// isNew tells whether a cluster would get something else than it has.
func (m *model) isNew(c *mCluster, good *mGood) bool {
	if c.good == nil {
		return good.access == unmanaged || !slices.Equal(liveOf(c), m.listOf(good))
	}
	return c.good.access != good.access || !slices.Equal(m.listOf(c.good), m.listOf(good))
}

// listOf is what would be live of it today.
func (m *model) listOf(good *mGood) []string {
	if good.access != "restricted" {
		return nil
	}
	return inForceAt(good.entries, m.now)
}

// harms tells whether something is opened, restricted for the first time, or
// loses access: against what is live and against what was accepted.
func (m *model) harms(c *mCluster, good *mGood) bool {
	return harm(c.live, m.listOf(good)) && m.stillHarms(c, good)
}

// stillHarms is harms, against what was accepted alone.
func (m *model) stillHarms(c *mCluster, good *mGood) bool {
	return c.good == nil || c.good.access == unmanaged || harm(m.listOf(c.good), m.listOf(good))
}

func harm(from, to []string) bool {
	if len(from) == 0 || len(to) == 0 {
		return len(from) != len(to)
	}
	return !within(from, to)
}

// tightens tells whether nobody gains anything, nor a family its freedom.
func (m *model) tightens(c *mCluster, good *mGood) bool {
	if c.good == nil || c.good.access != "restricted" || good.access != "restricted" {
		return false
	}
	had, gets := m.listOf(c.good), m.listOf(good)
	return within(gets, had) && hasIPv6(had) == hasIPv6(gets)
}

func hasIPv6(list []string) bool {
	return slices.ContainsFunc(list, func(text string) bool { return netip.MustParsePrefix(text).Addr().Is6() })
}

// within tells whether all of one list is in another. What is no prefix is
// nothing.
func within(list, all []string) bool {
	var of []netip.Prefix
	for _, text := range all {
		if p, err := netip.ParsePrefix(text); err == nil {
			of = append(of, p)
		}
	}
	return !slices.ContainsFunc(list, func(text string) bool {
		p, err := netip.ParsePrefix(text)
		return err == nil && !covered(p, of)
	})
}

// covered tells whether a prefix is in the union of others.
func covered(p netip.Prefix, of []netip.Prefix) bool {
	if slices.ContainsFunc(of, func(q netip.Prefix) bool { return q.Bits() <= p.Bits() && q.Contains(p.Addr()) }) {
		return true
	}
	if !slices.ContainsFunc(of, p.Overlaps) {
		return false
	}
	low := netip.PrefixFrom(p.Addr(), p.Bits()+1)
	bytes := p.Addr().AsSlice()
	bytes[p.Bits()/8] |= 0x80 >> (p.Bits() % 8)
	high, _ := netip.AddrFromSlice(bytes)
	return covered(low, of) && covered(netip.PrefixFrom(high, p.Bits()+1), of)
}

func (m *model) isFrozen(id string) bool {
	return m.now.Before(m.guard.frozen[id]) || m.now.Before(m.guard.frozen["*"])
}

// keep has a cluster keep what it had, by the file that it asks for more in.
func (c *mCluster) keep(asked *mGood) {
	c.kept, c.had = true, asked.path
	if c.good != nil {
		good := *c.good
		good.path, good.claimed = asked.path, c.good.access != "open"
		c.good = &good
	}
}

// waits tells whether something goes too far and waits for an approval.
func (m *model) waits() bool {
	for _, c := range m.clusters {
		if c.held && c.kept {
			return true
		}
	}
	return false
}
