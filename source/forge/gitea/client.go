// Package gitea posts checks as commit statuses of Gitea and Forgejo, and
// reads and comments pull requests, by their API version 1 (swagger of Gitea
// 1.26).
//
// The token needs the scope write:repository, and its user the right to write
// code in the repository; for comments on pull requests the scopes write:issue
// and read:user besides. It is read from its file whenever it is used, so that
// a new one counts as soon as it is there, and it is in no error and no log.
//
// What an answer means:
//
//	200, 201                   done
//	401, 403                   the credentials: nothing is posted for a minute
//	429, 503 with Retry-After  nothing is posted for as long as it says
//	404, 422, 500 of a status  the repository is asked for the commit; if it is
//	                           there and the commit is not, the check is refused
//	404 of a listing           where Gitea takes the repository for empty, as it
//	                           does for a moment after the first push, soon again
//	404 of anything else       it is not there: refused
//	anything else              tried again later
//
// Gitea 1.26 answers 500 where a commit does not exist, which is why 500 is
// looked into. It sends no ETags: each listing of pull requests is a full one,
// 50 a request.
package gitea

import (
	"fmt"
	"net/http"

	"golang.org/x/time/rate"

	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/source/forge/wire"
)

const (
	// maxDescription is what a status's description is cut to, in characters.
	// Gitea keeps any length (a TEXT column); its pages show one line.
	maxDescription = 255
	// maxComment bounds a comment, in bytes. Gitea keeps more (a LONGTEXT
	// column), but nobody reads it.
	maxComment = 256 << 10
	// Gitea itself has no limits of requests; who runs it may have put some
	// before it.
	writesPerSecond, writesAtOnce = 20, 50
)

// Options say where statuses go. The token file is required.
type Options = wire.Options

// Forge posts to one repository. It is safe for use by many at once.
type Forge struct {
	url, owner, name, target string
	tokenFile                string
	http                     *http.Client
	budget                   *rate.Limiter // of what is written
	comments                 forge.Comments
	pages                    wire.Pages[forge.PullRequest]
	me                       wire.Identity
}

var _ forge.PullRequests = (*Forge)(nil)

// New makes a forge and contacts nobody. It fails where an option cannot be
// used at all; a token file that is not there yet is none of these.
func New(o Options) (*Forge, error) {
	base, err := o.Base()
	if err != nil {
		return nil, fmt.Errorf("gitea: %w", err)
	}
	owner, name, err := o.OwnerAndName()
	if err != nil {
		return nil, fmt.Errorf("gitea: %w", err)
	}
	if o.TokenFile == "" {
		return nil, fmt.Errorf("gitea: repository %s: a token file is required", o.Repository)
	}
	client, err := o.Client()
	if err != nil {
		return nil, fmt.Errorf("gitea: %w", err)
	}
	return &Forge{
		url: base, owner: owner, name: name, target: o.TargetURL,
		tokenFile: o.TokenFile, http: client,
		budget: rate.NewLimiter(writesPerSecond, writesAtOnce),
	}, nil
}

func (f *Forge) String() string { return f.url + "/" + f.owner + "/" + f.name }
