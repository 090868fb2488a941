package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
)

// Remote is a Git server's repository with the way to it: URL, credentials,
// authorities, proxy. It holds no connection and no secret, and is safe for
// concurrent use.
type Remote struct{ opts Options }

// NewRemote checks the options, of which it uses those that concern the way
// to the remote. Nothing is contacted.
func NewRemote(opts Options) (Remote, error) {
	if err := opts.check(); err != nil {
		return Remote{}, fmt.Errorf("source %s: %w", opts.Name, err)
	}
	return Remote{opts.withDefaults()}, nil
}

// URL is the remote's URL as it may be shown: without user information.
func (r Remote) URL() string { return display(r.opts.URL) }

// bound limits an operation on the remote to Options.Timeout. Once it is known
// that a whole clone is needed, longer allows for that.
func (r Remote) bound(ctx context.Context) (bounded context.Context, longer, stop func()) {
	bounded, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(r.opts.Timeout, func() { cancel(errTimeout) })
	longer = func() { timer.Reset(cloneFactor * r.opts.Timeout) }
	stop = func() {
		timer.Stop()
		cancel(nil)
	}
	return bounded, longer, stop
}

// List is one ls-remote: every ref of the remote, sorted by name, without
// HEAD. An empty repository has none. Bounded by Options.Timeout.
func (r Remote) List(ctx context.Context) ([]*plumbing.Reference, error) {
	ctx, _, stop := r.bound(ctx)
	defer stop()
	l, err := r.dial(ctx, uploadPack)
	if err != nil {
		return nil, err
	}
	defer l.close()
	adv, err := l.refs()
	if err != nil {
		return nil, err
	}
	return sorted(adv), nil
}

func sorted(adv *packp.AdvRefs) []*plumbing.Reference {
	out := make([]*plumbing.Reference, 0, len(adv.References))
	for name, hash := range adv.References {
		out = append(out, plumbing.NewHashReference(plumbing.ReferenceName(name), hash))
	}
	slices.SortFunc(out, func(a, b *plumbing.Reference) int {
		return strings.Compare(string(a.Name()), string(b.Name()))
	})
	return out
}

// Fetch brings refs of the remote, with all that they reach, into a
// repository of the caller's. Specs name one ref each (no wildcards); without
// a "+" a ref only moves forward, else ErrMoved. A ref that the remote does
// not have is ErrNoBranch, and then nothing is changed.
func (r Remote) Fetch(ctx context.Context, repo *git.Repository, specs ...config.RefSpec) error {
	ctx, _, stop := r.bound(ctx)
	defer stop()
	l, err := r.dial(ctx, uploadPack)
	if err != nil {
		return err
	}
	defer l.close()
	adv, err := l.refs()
	if err != nil {
		return err
	}
	wanted, err := wantedRefs(adv, specs)
	if err != nil {
		return l.fail("fetch from", err)
	}
	if err := l.into(repo, adv, wanted); err != nil {
		return l.fail("fetch from", err)
	}
	return forward(repo, wanted)
}

// wantedRef is a ref of the remote and what it is to be called here.
type wantedRef struct {
	hash  plumbing.Hash
	local plumbing.ReferenceName
	force bool
}

func wantedRefs(adv *packp.AdvRefs, specs []config.RefSpec) ([]wantedRef, error) {
	var out []wantedRef
	for _, spec := range specs {
		if err := spec.Validate(); err != nil || spec.IsWildcard() || spec.IsDelete() {
			return nil, fmt.Errorf("refspec %q does not name one ref", spec)
		}
		hash, ok := adv.References[spec.Src()]
		if !ok {
			// go-git's own word as well, for callers that use it elsewhere.
			return nil, fmt.Errorf("%s: %w: %w", spec.Src(), ErrNoBranch, git.NoMatchingRefSpecError{})
		}
		out = append(out, wantedRef{hash, spec.Dst(""), spec.IsForceUpdate()})
	}
	return out, nil
}

// into transfers what the repository lacks.
func (l *link) into(repo *git.Repository, adv *packp.AdvRefs, wanted []wantedRef) error {
	var wants []plumbing.Hash
	for _, w := range wanted {
		if repo.Storer.HasEncodedObject(w.hash) != nil && !slices.Contains(wants, w.hash) {
			wants = append(wants, w.hash)
		}
	}
	if len(wants) == 0 {
		return nil
	}
	haves, err := tips(repo)
	if err != nil {
		return err
	}
	pack, err := l.transfer(adv, wants, haves)
	if err != nil {
		return err
	}
	defer pack.Close()
	spooled, err := spool(pack, "")
	if err != nil {
		return err
	}
	defer discard(spooled)
	// What takes it apart has no bounds of its own.
	if _, _, err := survey(l.ctx, spooled, fetchLimits()); err != nil {
		return err
	}
	if _, err := spooled.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return packfile.UpdateObjectStorage(repo.Storer, spooled)
}

// fetchLimits are for repositories of others' than the mirror: of notes.
func fetchLimits() packLimits {
	return packLimits{objects: maxPackObjects, work: maxFetchWork, object: maxTree, depth: maxPackDepth, cache: 96 << 20, whole: true}
}

// maxFetchWork bounds what Fetch makes of what is sent, in bytes.
const maxFetchWork = 8 << 30

// tips are the commits that a repository has, newest of each ref.
func tips(repo *git.Repository) ([]plumbing.Hash, error) {
	refs, err := repo.Storer.IterReferences()
	if err != nil {
		return nil, err
	}
	var out []plumbing.Hash
	err = refs.ForEach(func(ref *plumbing.Reference) error {
		if ref.Type() == plumbing.HashReference {
			out = append(out, ref.Hash())
		}
		return nil
	})
	return out, err
}

// forward sets the refs once all objects are there.
func forward(repo *git.Repository, wanted []wantedRef) error {
	for _, w := range wanted {
		old, err := repo.Storer.Reference(w.local)
		if err == nil && !w.force {
			if err := onlyForward(repo, old.Hash(), w.hash); err != nil {
				return fmt.Errorf("update %s: %w", w.local, err)
			}
		}
		if err != nil && !errors.Is(err, plumbing.ErrReferenceNotFound) {
			return fmt.Errorf("read %s: %w", w.local, err)
		}
		if err := repo.Storer.SetReference(plumbing.NewHashReference(w.local, w.hash)); err != nil {
			return fmt.Errorf("update %s: %w", w.local, err)
		}
	}
	return nil
}

func onlyForward(repo *git.Repository, old, new plumbing.Hash) error {
	ok, err := isAncestor(context.Background(), storerCommits{repo.Storer}, old, new)
	if err == nil && !ok {
		return ErrMoved
	}
	return err
}

// asksMultiAck tells whether a host refuses clients without multi_ack. Azure
// DevOps does, although it then answers in a way that needs none of it.
func asksMultiAck(host string) bool {
	host = strings.ToLower(host)
	return host == "dev.azure.com" || host == "ssh.dev.azure.com" || strings.HasSuffix(host, ".visualstudio.com")
}

// request asks for what is wanted, with all capabilities that are understood.
func request(adv *packp.AdvRefs, wants, haves []plumbing.Hash, multiAck bool) (*packp.UploadPackRequest, error) {
	req := packp.NewUploadPackRequestFromCapabilities(adv.Capabilities)
	req.Wants, req.Haves = wants, haves
	if adv.Capabilities.Supports(capability.NoProgress) {
		if err := req.Capabilities.Set(capability.NoProgress); err != nil {
			return nil, err
		}
	}
	if multiAck {
		return req, req.Capabilities.Set(capability.MultiACK)
	}
	return req, nil
}
