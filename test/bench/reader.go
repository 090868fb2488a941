package main

import (
	"context"
	"fmt"

	"github.com/portcullis-gitops/portcullis/source"
	"github.com/portcullis-gitops/portcullis/test/servers"
)

// readerPeer is the command's package source and nothing else: asked anything,
// it polls, and reads what there is to read: all files the first time, then
// those that changed. The count is how many files it read.
//
// Arguments: the URL, the folder of the mirror, the file of the password.
func readerPeer(_ context.Context, args []string) (job, error) {
	repo, err := source.Open(source.Options{Name: "bench", URL: args[0], Dir: args[1],
		Username: servers.GitUser, PasswordFile: args[2], Path: "tenants"})
	if err != nil {
		return nil, err
	}
	old := &source.Snapshot{}
	return func(ctx context.Context, _ string) (int, error) {
		head, err := repo.Poll(ctx)
		if err != nil {
			return 0, err
		}
		snapshot, err := repo.Snapshot(ctx, head)
		if err != nil {
			return 0, err
		}
		changed := source.Changed(old, snapshot)
		if err := readAll(ctx, repo, snapshot, changed); err != nil {
			return 0, err
		}
		old = snapshot
		return len(changed), nil
	}, nil
}

func readAll(ctx context.Context, repo *source.Repository, snapshot *source.Snapshot, paths []string) error {
	hashes := map[string]string{}
	for _, e := range snapshot.Files {
		hashes[e.Path] = e.Hash
	}
	for _, path := range paths {
		if _, err := repo.Read(ctx, hashes[path]); err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
	}
	return nil
}
