// Package notes delivers checks as Git notes of the repository itself, which
// works with any Git server and needs no API:
//
//	git fetch origin 'refs/notes/*:refs/notes/*'
//	git notes --ref=portcullis/eu-west show <commit>
//
// There is one note for each commit, replaced as its verdict changes. The
// first line is "success|failure|pending portcullis/<seed>: <title>", the body
// of the check follows.
//
// Each post is one commit on the notes' ref, with the one before as its parent,
// however many notes it sets. It is pushed without force: where another writer
// was faster, what it wrote is fetched and the post is built on it anew, so
// that nothing is lost. Notes that stand already as wanted are not written.
//
// A ref that somebody deleted on the remote begins anew.
//
// The folder is a cache. A damaged one is made anew from the remote; deleting
// it between two posts does no harm.
package notes

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-logr/logr"

	"github.com/portcullis-gitops/portcullis/source/forge"
)

// Remote is the repository that notes are written to, with its credentials.
// Errors keep go-git's own within them (%w); git.NoErrAlreadyUpToDate may be
// answered as it is, or as nil. Objects and refs are to be taken from
// repo.Storer: a push is given a view of the cache, not the folder's own.
type Remote interface {
	Fetch(ctx context.Context, repo *git.Repository, specs ...config.RefSpec) error
	Push(ctx context.Context, repo *git.Repository, specs ...config.RefSpec) error
}

// Options say which notes are written, and as whom.
type Options struct {
	Dir    string // the cache, used by nothing else; made if missing, in a folder that can be written to
	Remote Remote
	Ref    string // refs/notes/portcullis/<seed>, one for each seed
	// Name and Email are the author's and the committer's; default
	// Portcullis <portcullis@localhost>.
	Name, Email string
	Now         func() time.Time // default time.Now
	Log         logr.Logger
}

// Forge writes notes to one ref of one repository. It is safe for use by many
// at once; posts are written one after the other.
type Forge struct {
	opts Options
	ref  plumbing.ReferenceName

	mu   sync.Mutex
	repo *git.Repository // nil until first used, and after damage
	// fresh says that the cache was compared with the remote, and every push
	// since went through: there is nothing to fetch.
	fresh bool
	posts int // pushed since the cache was made or opened
}

var _ forge.Forge = (*Forge)(nil)

// New makes a forge, and neither contacts anybody nor touches the disk.
func New(o Options) (*Forge, error) {
	ref := plumbing.ReferenceName(o.Ref)
	if err := ref.Validate(); err != nil || !ref.IsNote() || strings.HasSuffix(o.Ref, "/") {
		return nil, fmt.Errorf("notes: %q is not a ref below refs/notes/", o.Ref)
	}
	if o.Dir == "" || o.Remote == nil {
		return nil, fmt.Errorf("notes on %s: a folder and a remote are required", ref)
	}
	if o.Name == "" {
		o.Name = "Portcullis"
	}
	if o.Email == "" {
		o.Email = "portcullis@localhost"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log.GetSink() == nil {
		o.Log = logr.Discard()
	}
	return &Forge{opts: o, ref: ref}, nil
}

func (f *Forge) author() object.Signature {
	return object.Signature{Name: f.opts.Name, Email: f.opts.Email, When: f.opts.Now()}
}
