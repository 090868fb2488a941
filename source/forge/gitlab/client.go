// Package gitlab posts checks as commit statuses of GitLab, gitlab.com and
// self-managed, and reads and comments merge requests, by its REST API
// version 4.
//
// The token, of a project, a group or a person, needs the scope api and the
// role Developer; where the branch is protected, the right to merge or push
// there. It is read from its file whenever it is used, so that a new one
// counts as soon as it is there, and it is in no error and no log.
//
// GitLab files a status under a pipeline. One of the branch goes to the
// branch's pipeline of that commit, one of a merge request to the merge
// request's own where it has one, else to the source branch's. A merge request
// from a fork gets its status in the project that it goes to, by the ref that
// GitLab keeps of it; whether GitLab counts that before a merge depends on its
// version, so the comment is what to read there.
//
// What an answer means:
//
//	200, 201       done
//	304            a page of merge requests did not change
//	400 of a transition to the state that the status is in
//	               done: GitLab keeps the older description of a pending one
//	400 with a message for each field
//	               GitLab will never take it: refused
//	401, 403       the credentials: nothing is posted for a minute
//	404            the project is asked for the commit; if it is there and the
//	               commit is not, the check is refused
//	409            somebody else writes the same: tried again
//	422            GitLab will never take it: refused
//	429            nothing is posted until Retry-After, else for a minute
//	anything else  tried again later
package gitlab

import (
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/time/rate"

	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/source/forge/wire"
)

const (
	// maxDescription is what GitLab takes of a status, in characters.
	maxDescription = 255
	// maxLink is what GitLab takes of a status's link, in characters
	// (app/models/generic_commit_status.rb of its source); a status with a
	// longer one is refused, so it goes without.
	maxLink = 255
	// maxComment bounds a note, in bytes. GitLab takes a million characters,
	// but nobody reads them.
	maxComment = 256 << 10
	// gitlab.com permits 2,000 requests a minute and user, but 60 notes.
	writesPerSecond, writesAtOnce = 5, 20
	notesPerSecond, notesAtOnce   = 1, 20
)

// Options say where statuses go. The token file is required. Repository may
// have groups within groups before the name.
type Options struct {
	wire.Options
	Branch string // that commits are on which are no merge request's
}

// Forge posts to one project. It is safe for use by many at once.
type Forge struct {
	url, project, branch, target string
	tokenFile                    string
	http                         *http.Client
	budget, notes                *rate.Limiter // of what is written
	comments                     forge.Comments
	pages                        wire.Pages[forge.PullRequest]
	me                           wire.Identity
}

var _ forge.PullRequests = (*Forge)(nil)

// New makes a forge and contacts nobody. It fails where an option cannot be
// used at all; a token file that is not there yet is none of these.
func New(o Options) (*Forge, error) {
	base, err := o.Base()
	if err != nil {
		return nil, fmt.Errorf("gitlab: %w", err)
	}
	if parts := strings.Split(o.Repository, "/"); len(parts) < 2 || strings.Contains("/"+o.Repository+"/", "//") {
		return nil, fmt.Errorf("gitlab: repository %q: want group/name", o.Repository)
	}
	if o.TokenFile == "" {
		return nil, fmt.Errorf("gitlab: repository %s: a token file is required", o.Repository)
	}
	client, err := o.Client()
	if err != nil {
		return nil, fmt.Errorf("gitlab: %w", err)
	}
	return &Forge{
		url: base, project: o.Repository, branch: o.Branch, target: o.TargetURL,
		tokenFile: o.TokenFile, http: client,
		budget: rate.NewLimiter(writesPerSecond, writesAtOnce), notes: rate.NewLimiter(notesPerSecond, notesAtOnce),
	}, nil
}

func (f *Forge) String() string { return f.url + "/" + f.project }
