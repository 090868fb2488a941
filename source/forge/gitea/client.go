// Package gitea posts checks as commit statuses of Gitea and Forgejo, by
// their API version 1 (POST /repos/{owner}/{repo}/statuses/{sha}, swagger of
// Gitea 1.26).
//
// The token needs the scope write:repository, and its user the right to write
// code in the repository. It is read from its file for every post, so that a
// new one is used as soon as it is there, and it is in no error and no log.
//
// What an answer means:
//
//	201                        delivered
//	401, 403                   the credentials: nothing is posted for a minute
//	429, 503 with Retry-After  nothing is posted for as long as it says
//	404, 422, 500              the repository is asked for the commit; if it is
//	                           there and the commit is not, the check is refused
//	anything else              tried again later
//
// Gitea 1.26 answers 500 where a commit does not exist, which is why 500 is
// looked into.
package gitea

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/portcullis-gitops/portcullis/source/forge"
)

// maxDescription is what a status's description is cut to, in characters.
// Gitea keeps any length (a TEXT column); its pages show one line.
const maxDescription = 255

// Options say where statuses go.
type Options struct {
	URL        string // of the host, such as https://git.example.com; may have a path
	Repository string // owner/name
	TokenFile  string // required
	CAFile     string // PEM, trusted beside the system's own
	Proxy      string // URL; default: as the environment says
	// Timeout bounds one request; default 30 seconds.
	Timeout time.Duration
	// TargetURL is where a status links to; empty: nowhere.
	TargetURL string
}

// Forge posts to one repository. It is safe for use by many at once.
type Forge struct {
	url, owner, name, target string
	tokenFile                string
	http                     *http.Client
}

var _ forge.Forge = (*Forge)(nil)

// New makes a forge and contacts nobody. It fails where an option cannot be
// used at all; a token file that is not there yet is none of these.
func New(o Options) (*Forge, error) {
	base, err := parseURL(o.URL)
	if err != nil {
		return nil, err
	}
	owner, name, ok := strings.Cut(o.Repository, "/")
	if !ok || owner == "" || name == "" || strings.Contains(name, "/") {
		return nil, fmt.Errorf("gitea repository %q: want owner/name", o.Repository)
	}
	if o.TokenFile == "" {
		return nil, fmt.Errorf("gitea repository %s: a token file is required", o.Repository)
	}
	client, err := newHTTP(o)
	if err != nil {
		return nil, err
	}
	return &Forge{
		url: base, owner: owner, name: name, target: o.TargetURL,
		tokenFile: o.TokenFile, http: client,
	}, nil
}

func parseURL(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", fmt.Errorf("gitea URL: not a URL") // err quotes it, userinfo included
	}
	if u.User != nil {
		return "", fmt.Errorf("gitea URL %s: credentials belong in the token file", u.Redacted())
	}
	if u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("gitea URL %q: want https://host or https://host/path", u.Redacted())
	}
	return strings.TrimRight(u.String(), "/"), nil
}

func (f *Forge) String() string { return f.url + "/" + f.owner + "/" + f.name }
