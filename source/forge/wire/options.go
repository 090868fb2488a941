// Package wire is what the forges share to speak HTTP with their hosts: a
// client that keeps the token from other hosts and reads no more than a bound
// of any answer, the token's file, conditional listings, and what an answer's
// headers say about limits.
//
// Secrets are read from their files when they are used, so that a new one
// counts at once. Words keeps them out of errors.
package wire

import (
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"
)

// Options say which repository of which host is meant, and how it is reached.
type Options struct {
	URL        string // of the host, such as https://git.example.com; may have a path
	Repository string // owner/name
	TokenFile  string
	CAFile     string // PEM, trusted beside the system's own
	Proxy      string // URL; default: as the environment says
	// InsecureHTTP permits http beyond the loopback interface.
	InsecureHTTP bool
	// Timeout bounds one request; default 30 seconds.
	Timeout time.Duration
	// TargetURL is where a check links to that has no URL of its own; empty:
	// nowhere.
	TargetURL string
	// Observe is told the code of each answer, 0 where none came; by many at
	// once. nil: nobody counts.
	Observe func(code int)
}

// Base is the host's URL without a slash at its end. Errors never repeat user
// information.
func (o Options) Base() (string, error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		return "", fmt.Errorf("URL of the Git host: not a URL") // err quotes it
	}
	switch {
	case u.User != nil:
		return "", fmt.Errorf("URL of the Git host %s: credentials belong in the token file", u.Redacted())
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" || u.Fragment != "":
		return "", fmt.Errorf("URL of the Git host %q: want https://host or https://host/path", u.Redacted())
	case u.Scheme == "http" && !o.InsecureHTTP && !loopback(u.Hostname()):
		return "", fmt.Errorf("URL of the Git host %s: http is for the loopback interface; use https, or set insecureHTTP: true", u.Redacted())
	}
	return strings.TrimRight(u.String(), "/"), nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// OwnerAndName takes the repository apart.
func (o Options) OwnerAndName() (owner, name string, err error) {
	owner, name, ok := strings.Cut(o.Repository, "/")
	if !ok || owner == "" || name == "" || strings.Contains(name, "/") {
		return "", "", fmt.Errorf("repository %q: want owner/name", o.Repository)
	}
	return owner, name, nil
}

// Token reads a token's file: one word.
func Token(file string) (string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the token: %w", err)
	}
	token := strings.TrimSpace(string(b))
	if token == "" || strings.ContainsAny(token, " \t\r\n") {
		return "", fmt.Errorf("read the token: %s does not hold one word", file)
	}
	return token, nil
}
