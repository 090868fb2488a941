package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/portcullis-gitops/portcullis/apply/outcome"
	"github.com/portcullis-gitops/portcullis/cmd/portcullis/console"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/source"
)

// mirrors are what the pages read of the sources' mirrors. Nothing is fetched for
// it, and nothing of it is the loop's own.
type mirrors struct{ *reconciler }

var _ console.Git = mirrors{}

func (h mirrors) follower(name string) (*follower, error) {
	i := slices.IndexFunc(h.sources, func(f *follower) bool { return f.conf.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("source %s: %w", name, console.ErrUnknown)
	}
	return h.sources[i], nil
}

// Commit implements console.Git.
func (h mirrors) Commit(ctx context.Context, name, sha, base string) (*console.Commit, error) {
	f, err := h.follower(name)
	if err != nil {
		return nil, err
	}
	if !f.repo.Has(sha) {
		return nil, fmt.Errorf("commit %s of source %s: %w", sha, name, console.ErrUnknown)
	}
	out := &console.Commit{Base: base}
	if base == "" || !f.repo.Has(base) {
		if out.Base, err = f.before(ctx, sha); err != nil {
			return nil, err
		}
	}
	var before *source.Snapshot
	if out.Base != "" {
		if before, out.Before, err = h.files(ctx, f, sha, out.Base); err != nil {
			return nil, err
		}
	}
	after, files, err := h.files(ctx, f, sha, sha)
	if err != nil {
		return nil, err
	}
	out.After, out.Changed = files, source.Changed(before, after)
	return out, nil
}

// before is a commit's first parent; empty where the mirror has none.
func (f *follower) before(ctx context.Context, sha string) (string, error) {
	parent, err := f.repo.FirstParent(ctx, sha)
	if err != nil || parent != "" && !f.repo.Has(parent) {
		return "", err
	}
	return parent, nil
}

// files are those of a commit. What is in force is taken apart already.
func (h mirrors) files(ctx context.Context, f *follower, asked, commit string) (*source.Snapshot, []render.File, error) {
	var known []render.File
	if g := h.glance.Load(); g != nil {
		known = g.files[slices.Index(h.sources, f)]
	}
	snapshot, files, err := f.read(ctx, render.CacheOf(known), commit)
	if errors.Is(err, source.ErrNotFound) { // the mirror was made anew meanwhile
		return nil, nil, fmt.Errorf("commit %s of source %s: %w", asked, f.conf.Name, console.ErrUnknown)
	}
	return snapshot, files, err
}

// Text implements console.Git.
func (h mirrors) Text(ctx context.Context, name, hash string) (string, error) {
	f, err := h.follower(name)
	if err != nil {
		return "", err
	}
	content, err := f.repo.Read(ctx, hash)
	return string(content), err
}

// Pull implements console.Git.
func (h mirrors) Pull(name, sha string) (console.Pull, bool) {
	f, err := h.follower(name)
	if err != nil {
		return console.Pull{}, false
	}
	desk := f.pullDesk()
	if desk == nil {
		return console.Pull{}, false
	}
	j, judged := desk.Judged(sha)
	return console.Pull{Number: j.Number, URL: j.URL, Target: j.Target, Base: j.Base, Failure: j.Failure, Title: j.Title, Text: j.Comment, Diff: j.Diff}, judged
}

// Verdict implements console.Git.
func (h mirrors) Verdict(name, sha string) (outcome.Verdict, bool) {
	f, err := h.follower(name)
	if err != nil {
		return outcome.Verdict{}, false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	v, said := f.verdicts[sha]
	return v, said
}
