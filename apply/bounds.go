package apply

import (
	"time"

	"golang.org/x/time/rate"
)

// Bounds of the Events of one kind, beyond what the recorder lets through for one
// Cluster: a mass change, a first sync over thousands of lists that were made by
// hand, and a script that sets them all must not become as many Events. What goes
// beyond is left out for good: `portcullis status`, the log and the commit's check
// have all.
const (
	mostTold, mostToldOfTenant     = 100, 10 // at once
	againAfter, againAfterOfTenant = 10 * time.Second, time.Minute
	// mostTenants bounds the tenants that are told apart.
	mostTenants = 1000
)

// bounds are not safe for use by many at once.
type bounds struct {
	all     *rate.Limiter
	tenants map[string]*rate.Limiter
}

func newBounds() *bounds {
	return &bounds{rate.NewLimiter(rate.Every(againAfter), mostTold), map[string]*rate.Limiter{}}
}

// allows takes one Event of a tenant's cluster from the bounds.
func (b *bounds) allows(tenant string, now time.Time) bool {
	own := b.tenants[tenant]
	if own == nil {
		if len(b.tenants) >= mostTenants {
			clear(b.tenants) // the bound of all still holds
		}
		own = rate.NewLimiter(rate.Every(againAfterOfTenant), mostToldOfTenant)
		b.tenants[tenant] = own
	}
	return b.all.TokensAt(now) >= 1 && own.AllowN(now, 1) && b.all.AllowN(now, 1)
}
