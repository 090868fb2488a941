package console

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/portcullis-gitops/portcullis/render/policy"
)

// leastSecret is how many bytes a shared secret has at least.
const leastSecret = 16

// errNotByProxy is the answer to a request that cannot be told from a forged
// one. It does not say what is missing.
var errNotByProxy = errors.New("these pages are limited: they are to be seen by way of the proxy that signs people in")

// access is who sees what, by the Config.
type access struct{ policy.Console }

// viewer is what a request may show.
func (a access) viewer(r *http.Request) (scope, error) {
	if !a.Limited() {
		return everything(), nil
	}
	if err := a.proven(r); err != nil {
		return scope{}, err
	}
	lines := r.Header.Values(a.ProjectsHeader)
	if len(lines) > 1 { // of two, one may be the caller's own
		return scope{}, errNotByProxy
	}
	var projects []string
	for _, value := range strings.Split(strings.Join(lines, ""), ",") {
		value = strings.TrimSpace(value)
		if value != "" && value == a.AllProjects {
			return everything(), nil
		}
		if project, names := strings.CutPrefix(value, a.ProjectsPrefix); names && project != "" {
			projects = append(projects, project)
		}
	}
	return onlyProjects(projects), nil
}

// proven fails where the request does not come by way of the proxy: from one of
// its addresses and with its secret, as far as each is asked for.
func (a access) proven(r *http.Request) error {
	if len(a.TrustedProxies) > 0 && !a.trusted(peer(r)) {
		return errNotByProxy
	}
	if a.SharedSecretFile == "" {
		if len(a.TrustedProxies) == 0 { // the Config is refused before that
			return errNotByProxy
		}
		return nil
	}
	secret, err := os.ReadFile(a.SharedSecretFile)
	if err != nil {
		return fmt.Errorf("read the proxy's secret: %w", err)
	}
	secret = []byte(strings.TrimRight(string(secret), "\r\n")) // editors and `echo` put one there
	if len(secret) < leastSecret {
		return fmt.Errorf("the proxy's secret in %s has less than %d bytes", a.SharedSecretFile, leastSecret)
	}
	sent := r.Header.Values(a.SharedSecretHeader)
	want, got := sha256.Sum256(secret), sha256.Sum256([]byte(strings.Join(sent, "\n")))
	if subtle.ConstantTimeCompare(want[:], got[:]) != 1 || len(sent) != 1 {
		return errNotByProxy
	}
	return nil
}

func (a access) trusted(addr netip.Addr) bool {
	return slices.ContainsFunc(a.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// peer is who has opened the connection; invalid where that is no address.
func peer(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap().WithZone("")
}

// caller is the address that a request is from, as far as it can be believed:
// of what proxies add to X-Forwarded-For, the last that no trusted one has.
// It is invalid where that is this machine, which says nothing of the viewer.
func (a access) caller(r *http.Request) netip.Addr {
	at := peer(r)
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && a.trusted(at); i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			return netip.Addr{}
		}
		at = next.Unmap().WithZone("")
	}
	if at.IsLoopback() || a.trusted(at) {
		return netip.Addr{}
	}
	return at
}

// ourName tells whether the pages are asked for by a name of ours. A page of
// somebody else's, whose name leads to this machine once its script runs, would
// read them else: the browser takes both for one.
func (a access) ourName(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.Trim(strings.TrimSuffix(name, "."), "[]"))
	if _, err := netip.ParseAddr(name); err == nil || !strings.Contains(name, ".") {
		return true // localhost, the name of a pod or Service: no public name leads here
	}
	return strings.HasSuffix(name, ".svc") || strings.HasSuffix(name, ".svc.cluster.local") || strings.HasSuffix(name, ".localhost") || name == hostOf(a.URL)
}
