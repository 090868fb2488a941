package source

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/transport"
)

// scpLike is user@host:path. The user is asked for: without one, a mistyped
// scheme would be taken for a host.
var scpLike = regexp.MustCompile(`^([A-Za-z0-9._-]+)@([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):([^/\s].*|/[^/\s].*)$`)

// CheckURL tells whether a source may have this URL: https, ssh:// and
// user@host:path, file:///path; http only on the loopback interface, or
// anywhere with insecureHTTP. Passwords, queries and fragments are refused:
// that is where tokens end up in logs. The error never repeats user
// information.
func CheckURL(raw string, insecureHTTP bool) error {
	if strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return errors.New("url: holds white space or control characters")
	}
	if !strings.Contains(raw, "://") {
		return checkSCP(raw)
	}
	u, err := url.Parse(raw)
	if err != nil { // its text repeats the URL
		return errors.New("url: cannot be parsed")
	}
	if err := checkParts(u); err != nil {
		return err
	}
	return checkScheme(u, insecureHTTP)
}

func checkSCP(raw string) error {
	if !scpLike.MatchString(raw) {
		return errors.New("url: want https://, ssh://, file:// or user@host:path")
	}
	return nil
}

func checkParts(u *url.URL) error {
	if _, has := u.User.Password(); has {
		return errors.New("url: holds a password; use tokenFile, or username and passwordFile")
	}
	if u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return errors.New("url: holds a query or a fragment")
	}
	if strings.Trim(u.Path, "/") == "" {
		return errors.New("url: names no repository")
	}
	return nil
}

func checkScheme(u *url.URL, insecureHTTP bool) error {
	switch u.Scheme {
	case "file":
		if u.Host != "" || u.User != nil {
			return errors.New("url: file:// takes an absolute path and no host")
		}
		return nil
	case "https", "ssh":
	case "http":
		if !insecureHTTP && !loopback(u.Hostname()) {
			return errors.New("url: http is for the loopback interface; use https, or set insecureHTTP: true")
		}
	default:
		return fmt.Errorf("url: scheme %q is not https, ssh or file", u.Scheme)
	}
	if u.Hostname() == "" {
		return errors.New("url: names no host")
	}
	return nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// endpoint takes a URL apart. Its user is returned apart, so that it is in
// nothing that is shown.
func endpoint(raw string) (*transport.Endpoint, string, error) {
	e, err := transport.NewEndpoint(raw)
	if err != nil {
		return nil, "", errors.New("url: cannot be parsed")
	}
	user := e.User
	e.User, e.Password = "", ""
	e.Host = strings.Trim(e.Host, "[]")
	if strings.Contains(e.Host, ":") && e.Protocol != "ssh" {
		e.Host = "[" + e.Host + "]"
	}
	return e, user, nil
}

// display is a URL as it may be shown: without user information.
func display(raw string) string {
	if m := scpLike.FindStringSubmatch(raw); m != nil && !strings.Contains(raw, "://") {
		return m[2] + ":" + m[3]
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" {
		return "(not a URL)"
	}
	u.User, u.RawQuery, u.Fragment, u.ForceQuery = nil, "", "", false
	return u.String()
}
