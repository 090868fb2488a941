package lint

import "net/netip"

// WorldWide names what a list lets in at least half of, IPv4 or the IPv6
// Internet, by the measure of the rule open-world; empty where it does not.
func WorldWide(list []netip.Prefix) string {
	for _, world := range worlds {
		if halfOf(list, world.open) {
			return worldName(world.open)
		}
	}
	return ""
}
