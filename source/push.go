package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/revlist"
)

// packWindow is how many objects are tried as a delta's base, as in Git.
const packWindow = 10

// Push writes refs of a repository of the caller's to the remote, with all
// that they reach. Specs name one ref each; without a "+" a ref only moves
// forward. ErrMoved says that somebody else was faster: fetch and try again.
// A ref that is there already is no error. Nothing local is changed.
func (r Remote) Push(ctx context.Context, repo *git.Repository, specs ...config.RefSpec) error {
	ctx, _, stop := r.bound(ctx)
	defer stop()
	l, err := r.dial(ctx, receivePack)
	if err != nil {
		return err
	}
	defer l.close()
	adv, err := l.refs()
	if err != nil {
		return err
	}
	commands, err := updates(repo, adv, specs)
	if err == nil && len(commands) > 0 {
		err = l.send(repo, adv, commands)
	}
	if err != nil {
		return l.fail("push to", err)
	}
	return nil
}

// pushed is what a spec wants to push: a commit by its hash, or a ref.
func pushed(repo *git.Repository, src string) (plumbing.Hash, error) {
	if plumbing.IsHash(src) {
		return plumbing.NewHash(src), nil
	}
	ref, err := repo.Storer.Reference(plumbing.ReferenceName(src))
	if err != nil {
		return plumbing.ZeroHash, fmt.Errorf("read %s: %w", src, err)
	}
	return ref.Hash(), nil
}

func updates(repo *git.Repository, adv *packp.AdvRefs, specs []config.RefSpec) ([]*packp.Command, error) {
	var out []*packp.Command
	for _, spec := range specs {
		if err := spec.Validate(); err != nil || spec.IsWildcard() || spec.IsDelete() {
			return nil, fmt.Errorf("refspec %q does not name one ref", spec)
		}
		hash, err := pushed(repo, spec.Src())
		if err != nil {
			return nil, err
		}
		c := &packp.Command{Name: spec.Dst(""), Old: adv.References[spec.Dst("").String()], New: hash}
		if c.Old == c.New {
			continue
		}
		if err := permitted(repo, c, spec.IsForceUpdate()); err != nil {
			return nil, fmt.Errorf("update %s: %w", c.Name, err)
		}
		out = append(out, c)
	}
	return out, nil
}

// permitted refuses to drop commits of the remote's unless forced. Commits
// that are not even known here were pushed by somebody else.
func permitted(repo *git.Repository, c *packp.Command, force bool) error {
	if force || c.Old.IsZero() {
		return nil
	}
	if repo.Storer.HasEncodedObject(c.Old) != nil {
		return ErrMoved
	}
	return onlyForward(repo, c.Old, c.New)
}

func (l *link) send(repo *git.Repository, adv *packp.AdvRefs, commands []*packp.Command) error {
	req := packp.NewReferenceUpdateRequestFromCapabilities(adv.Capabilities)
	req.Commands = commands
	pack, err := packFor(repo, adv, commands)
	if err != nil {
		return err
	}
	req.Packfile = io.NopCloser(pack)
	report, err := l.push(req)
	if report != nil { // it says more than the error that may come with it
		return verdict(report)
	}
	return err
}

// packFor holds what the remote lacks. It is made in memory: what is pushed
// are notes.
func packFor(repo *git.Repository, adv *packp.AdvRefs, commands []*packp.Command) (*bytes.Buffer, error) {
	var wants, haves []plumbing.Hash
	for _, c := range commands {
		wants = append(wants, c.New)
	}
	for _, h := range adv.References {
		if repo.Storer.HasEncodedObject(h) == nil {
			haves = append(haves, h)
		}
	}
	objects, err := revlist.Objects(repo.Storer, wants, haves)
	if err != nil {
		return nil, fmt.Errorf("gather objects: %w", err)
	}
	pack := &bytes.Buffer{}
	plain := !adv.Capabilities.Supports(capability.OFSDelta)
	if _, err := packfile.NewEncoder(pack, repo.Storer, plain).Encode(objects, packWindow); err != nil {
		return nil, fmt.Errorf("pack objects: %w", err)
	}
	return pack, nil
}

// lostRace are the words with which servers say that a ref is no longer what
// it was when it was listed.
var lostRace = []string{"fetch first", "non-fast-forward", "stale info", "failed to update ref", "cannot lock ref", "already exists", "failed to lock", "incorrect old value"}

// verdict reads the remote's answer for each ref.
func verdict(report *packp.ReportStatus) error {
	if report.UnpackStatus != "ok" {
		return fmt.Errorf("%w: %s", ErrRefused, clean(report.UnpackStatus, nil))
	}
	var errs []error
	for _, s := range report.CommandStatuses {
		if s.Status == "ok" {
			continue
		}
		why := ErrRefused
		for _, words := range lostRace {
			if strings.Contains(s.Status, words) {
				why = ErrMoved
			}
		}
		errs = append(errs, fmt.Errorf("%s: %w: %s", s.ReferenceName, why, clean(s.Status, nil)))
	}
	return errors.Join(errs...)
}
