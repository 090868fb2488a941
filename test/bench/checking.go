package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// checking measures `portcullis check` of all files, and the bare nodes.
func (b *bench) checking(ctx context.Context) error {
	dir := filepath.Join(b.dir, "files")
	for i := range b.n {
		path := filepath.Join(dir, b.path(i))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(b.file(i, 0)), 0o644); err != nil {
			return err
		}
	}
	policy := filepath.Join(b.dir, "policy.yaml")
	content, err := b.policyText(0)
	if err != nil {
		return err
	}
	if err := os.WriteFile(policy, content, 0o644); err != nil {
		return err
	}
	for range b.options.pace.repeats {
		watch := newStopwatch()
		used, err := runProgram(exec.CommandContext(ctx, b.options.binary, "check", "--policy", policy, "--seed", seedName, dir))
		if err != nil {
			return err
		}
		b.series.add("check seconds", watch.seconds())
		b.series.add("check highest", used.highest)
		if err := b.bareNodes(ctx, dir); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) bareNodes(ctx context.Context, dir string) error {
	watch := newStopwatch() // from the start, as that of check
	p, err := startPeer(ctx, "nodes")
	if err != nil {
		return err
	}
	a, err := p.ask(dir)
	if err != nil {
		return err
	}
	b.series.add("nodes seconds", watch.seconds())
	b.series.add("nodes highest", a.Highest)
	b.series.add("nodes before", a.Before)
	if a.Count != b.n {
		return fmt.Errorf("the bare nodes are of %d files, not %d", a.Count, b.n)
	}
	return p.end()
}
