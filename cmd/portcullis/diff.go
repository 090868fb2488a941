package main

import (
	"context"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/meaning"
	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/render/report"
	"github.com/portcullis-gitops/portcullis/source"
)

type diffOptions struct {
	offline
	dir, output string
	exitCode    bool
}

func diffCommand() *cobra.Command {
	o := &diffOptions{}
	cmd := &cobra.Command{
		Use:        "diff [BASE [HEAD]]",
		SuggestFor: []string{"plan", "preview"},
		Short:      "Show what a change of the files means for each cluster",
		Long: "Diff compares two states of a folder in a Git repository by what they mean: who\n" +
			"comes in and who is locked out, cluster by cluster. Without arguments it compares\n" +
			"the work tree with HEAD, with one the work tree with that commit, with two the\n" +
			"second with the first. For a branch, BASE is best `git merge-base main HEAD`.\n\n" +
			"It contacts nothing, unless --live is given: then clusters that no list had before\n" +
			"are compared with what is live on them; else they are \"unknown before\".\n\n" +
			"Exit code: 0 fine, 1 findings of severity error in what the change touches, or with\n" +
			"--exit-code a change of the meaning, 2 could not run.",
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.progress, o.said = newProgress(cmd.ErrOrStderr(), time.Now), cmd.ErrOrStderr()
			return o.run(cmd.Context(), args, cmd.OutOrStdout(), time.Now())
		},
	}
	o.bind(cmd)
	o.bindLive(cmd)
	cmd.Flags().StringVarP(&o.dir, "dir", "C", ".", "folder with the tenants' files, in a Git repository")
	cmd.Flags().StringVarP(&o.output, "output", "o", "text", "text, markdown (a comment for a pull request) or json")
	offer(cmd, "output", "text", "markdown", "json")
	cmd.Flags().BoolVar(&o.exitCode, "exit-code", false, "end with 1 when the meaning changes")
	return cmd
}

func (o *diffOptions) run(ctx context.Context, commits []string, out io.Writer, now time.Time) error {
	if !slices.Contains([]string{"text", "markdown", "json"}, o.output) {
		return fmt.Errorf("--output %s: text, markdown or json", o.output)
	}
	p, err := o.readPolicy()
	if err != nil {
		return err
	}
	c, err := o.compare(ctx, commits, p, now)
	if err != nil {
		return err
	}
	write := map[string]func(io.Writer, report.Compared) error{
		"text": report.MeaningText, "markdown": report.Markdown, "json": report.MeaningJSON}[o.output]
	if err := write(out, c); err != nil {
		return err
	}
	if o.exitCode && c.Changed() || slices.ContainsFunc(c.Findings, isError) {
		return errFindings
	}
	return nil
}

func isError(f lint.Finding) bool { return f.Severity == lint.Error }

// readPolicy reads the policy and holds --seed against it.
func (o *offline) readPolicy() (*policy.Policy, error) {
	p, err := readPolicy(o.policy)
	if err != nil {
		return nil, err
	}
	if o.seed != "" && p.SeedNames() != nil && !slices.Contains(p.SeedNames(), o.seed) {
		return nil, fmt.Errorf("--seed %s: the policy knows %s", o.seed, strings.Join(p.SeedNames(), ", "))
	}
	return p, nil
}

func (o *diffOptions) compare(ctx context.Context, commits []string, p *policy.Policy, now time.Time) (c report.Compared, err error) {
	repository, err := openGit(o.dir)
	if err != nil {
		return c, err
	}
	defer o.progress.end()
	t := meaning.Trees{Policy: p, Now: now}
	cache := render.NewCache()
	base := "HEAD"
	if len(commits) > 0 {
		base = commits[0]
	}
	if t.Before, c.Base, err = o.committed(ctx, repository, cache, base); err != nil {
		return c, err
	}
	c.Head = "the work tree"
	if len(commits) == 2 {
		t.After, c.Head, err = o.committed(ctx, repository, cache, commits[1])
	} else {
		t.After, err = o.onDisk(ctx, repository, cache)
	}
	if err != nil {
		return c, err
	}
	if t.Inventory, t.Seed, err = o.inventory(ctx, p, slices.Concat(t.Before, t.After)); err != nil {
		return c, err
	}
	o.progress.end()
	o.hintFolder(o.dir, slices.Concat(t.Before, t.After))
	before, after := meaning.Plans(t)
	c.Diff = meaning.Compare(meaning.Input{Before: before, After: after, Policy: p, Inventory: t.Inventory, Now: now})
	return c, nil
}

// committed are the files of a commit, and how it is named: main (3f2a9c1d5e6b).
func (o *diffOptions) committed(ctx context.Context, g *gitFolder, cache *render.Cache, name string) ([]render.File, string, error) {
	commit, err := g.commit(name)
	if err != nil {
		return nil, "", err
	}
	snapshot, read, err := g.snapshot(ctx, commit, o.tenant)
	if err != nil {
		return nil, "", err
	}
	files, err := o.parse(ctx, g, cache, snapshot, read)
	short := commit.Hash.String()[:12]
	if !strings.HasPrefix(commit.Hash.String(), name) {
		short = name + " (" + short + ")"
	}
	return files, short, err
}

func (o *diffOptions) onDisk(ctx context.Context, g *gitFolder, cache *render.Cache) ([]render.File, error) {
	snapshot, read, err := source.ReadFolder(o.dir, o.tenant)
	if err != nil {
		return nil, err
	}
	return o.parse(ctx, g, cache, snapshot, read)
}

// parse takes the files apart. Paths are the folder's as it was given, joined
// with what is below it; in a comment they are from the repository's root.
func (o *diffOptions) parse(ctx context.Context, g *gitFolder, cache *render.Cache, snapshot *source.Snapshot, read source.ReadFunc) ([]render.File, error) {
	files, err := parseTelling(ctx, cache, snapshot, read, o.progress)
	for i := range files {
		if o.output == "markdown" {
			files[i].Path = path.Join(g.below, files[i].Path)
		} else {
			files[i].Path = filepath.ToSlash(filepath.Join(o.dir, files[i].Path))
		}
	}
	return files, err
}

// parseTelling takes the files apart that the cache does not know, and tells how
// far it is.
func parseTelling(ctx context.Context, cache *render.Cache, snapshot *source.Snapshot, read source.ReadFunc, p *progress) ([]render.File, error) {
	out := make([]render.File, 0, len(snapshot.Files))
	for chunk := range slices.Chunk(snapshot.Files, some) {
		files, err := parseAll(ctx, cache, "", &source.Snapshot{Files: chunk}, read)
		if err != nil {
			return nil, err
		}
		out = append(out, files...)
		p.at(readingFiles, len(out), len(snapshot.Files))
	}
	return out, nil
}
