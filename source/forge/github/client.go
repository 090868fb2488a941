// Package github posts checks to GitHub, github.com and Enterprise Server, and
// reads and comments pull requests, by its REST API version 2022-11-28.
//
// With a GitHub App a check is a check run: title, Markdown, and annotations at
// their lines. The App needs the permissions checks: write, pull requests:
// write and contents: read. With a token, which GitHub lets post no check
// runs, it is a commit status. A classic token needs the scope repo:status
// (repo for private repositories and pull requests), a fine-grained one commit
// statuses: write and pull requests: write.
//
// Token and private key are read from their files whenever they are used, so
// that new ones count as soon as they are there. They are in no error and no
// log.
//
// What an answer means:
//
//	200, 201               done
//	304                    a page of pull requests did not change
//	401, 403               the credentials: nothing is posted for a minute
//	403, 429 with a limit  nothing is posted until Retry-After or
//	                       x-ratelimit-reset, else for a minute
//	422 with errors        GitHub will never take it: refused. So it answers
//	                       the 1,001st status of a commit and context
//	404, other 422         the repository is asked for the commit; if it is
//	                       there and the commit is not, the check is refused
//	anything else          tried again later
package github

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/time/rate"

	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/source/forge/wire"
)

// GitHub limits what creates content to 80 requests a minute and 500 an hour
// (secondary limits, docs.github.com/rest/using-the-rest-api). The first is
// kept to; the second is left to its Retry-After.
const (
	writesPerSecond = 1
	writesAtOnce    = 20
)

// Options say where checks go, and as whom: one of App and TokenFile.
type Options struct {
	wire.Options
	App *App
}

// Forge posts to one repository. It is safe for use by many at once.
type Forge struct {
	url, api, owner, name, target string
	tokenFile                     string
	app                           *App
	http                          *http.Client
	budget                        *rate.Limiter // of what is written
	runs                          runs
	comments                      forge.Comments
	pages                         wire.Pages[forge.PullRequest]
	me                            wire.Identity
}

var _ forge.PullRequests = (*Forge)(nil)

// New makes a forge and contacts nobody. It fails where an option cannot be
// used at all; a token file that is not there yet is none of these.
func New(o Options) (*Forge, error) {
	base, err := o.Base()
	if err != nil {
		return nil, fmt.Errorf("github: %w", err)
	}
	owner, name, err := o.OwnerAndName()
	if err != nil {
		return nil, fmt.Errorf("github: %w", err)
	}
	if (o.TokenFile == "") == (o.App == nil) {
		return nil, fmt.Errorf("github: repository %s: a token file or an App is required, and one of them only", o.Repository)
	}
	client, err := o.Client()
	if err != nil {
		return nil, fmt.Errorf("github: %w", err)
	}
	return &Forge{
		url: base, api: apiOf(base), owner: owner, name: name, target: o.TargetURL,
		tokenFile: o.TokenFile, app: o.App, http: client,
		budget: rate.NewLimiter(writesPerSecond, writesAtOnce),
	}, nil
}

func (f *Forge) String() string { return f.url + "/" + f.owner + "/" + f.name }

// apiOf is where the API of a host is: of github.com and of GitHub Enterprise
// Cloud's own domains below ghe.com on a host of its own, of Enterprise Server
// below a path.
func apiOf(base string) string {
	u, err := url.Parse(base)
	if err != nil { // checked before
		return base
	}
	switch host := strings.ToLower(u.Host); {
	case host == "github.com" || host == "www.github.com":
		return "https://api.github.com/"
	case strings.HasPrefix(host, "api."):
		return base + "/"
	case strings.HasSuffix(host, ".ghe.com"):
		return "https://api." + host + "/"
	}
	return base + "/api/v3/"
}
