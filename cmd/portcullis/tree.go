package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/source"
)

// offline are the flags of the commands that look at a folder.
type offline struct {
	policy, tenant, seed string
	live                 liveFlags
	progress             *progress
	said                 io.Writer // what is no result
}

func (o *offline) bind(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.policy, "policy", "", "file with the provider's Policy; without it the defaults hold and seeds are not judged")
	cmd.Flags().StringVar(&o.tenant, "tenant", "", "the folder is this one tenant's; else each folder in it is a tenant")
	cmd.Flags().StringVar(&o.seed, "seed", "", "look at the lists for this seed only")
}

// load reads the folder, the policy and, with --live, the seed, and makes the
// plan as far as that goes.
func (o *offline) load(ctx context.Context, dir string, now time.Time) (*render.Plan, []render.File, *policy.Policy, error) {
	p, err := readPolicy(o.policy)
	if err != nil {
		return nil, nil, nil, err
	}
	if o.seed != "" && p.SeedNames() != nil && !slices.Contains(p.SeedNames(), o.seed) {
		return nil, nil, nil, fmt.Errorf("--seed %s: the policy knows %s", o.seed, strings.Join(p.SeedNames(), ", "))
	}
	defer o.progress.end()
	files, err := readTree(ctx, dir, o.tenant, o.progress)
	if err != nil {
		return nil, nil, nil, err
	}
	inventory, seed, err := o.inventory(ctx, p, files)
	if err != nil {
		return nil, nil, nil, err
	}
	plan := render.Render(render.Input{Files: files, Base: withoutHistory(inventory.Known), Policy: p, Inventory: inventory, Seed: seed, Now: now})
	return plan, files, p, nil
}

// readTree reads a folder of tenants' files, and tells how far it is. Paths are the
// folder's as it was given, joined with what is below it.
func readTree(ctx context.Context, dir, tenant string, p *progress) ([]render.File, error) {
	snapshot, read, err := source.ReadFolder(dir, tenant)
	if err != nil {
		if info, bad := os.Stat(dir); bad != nil || !info.IsDir() {
			err = folderError{err}
		}
		return nil, err
	}
	files, err := parseAtOnce(ctx, snapshot, read, p)
	for i := range files {
		files[i].Path = filepath.ToSlash(filepath.Join(dir, files[i].Path))
	}
	return files, err
}

// readingFiles is what is told of while files are taken apart, so many at a time.
const (
	readingFiles = "reading files"
	some         = 100
)

// parseAtOnce takes a large tree apart on all processors, a hundred files at a
// time: that is most of the work of a check.
func parseAtOnce(ctx context.Context, snapshot *source.Snapshot, read source.ReadFunc, p *progress) ([]render.File, error) {
	chunks := slices.Collect(slices.Chunk(snapshot.Files, some))
	parsed := make([][]render.File, len(chunks))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	var mu sync.Mutex // guards what is told
	done := 0
	for i, chunk := range chunks {
		group.Go(func() (err error) {
			parsed[i], err = parseAll(ctx, render.NewCache(), "", &source.Snapshot{Files: chunk}, read)
			mu.Lock()
			defer mu.Unlock()
			done += len(chunk)
			p.at(readingFiles, done, len(snapshot.Files))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(parsed...), nil
}

// parseAll takes a snapshot's files apart, as far as the cache does not know
// them.
func parseAll(ctx context.Context, cache *render.Cache, name string, snapshot *source.Snapshot, read source.ReadFunc) ([]render.File, error) {
	files := make([]render.File, 0, len(snapshot.Files))
	for _, e := range snapshot.Files {
		f := render.File{Source: name, Tenant: e.Tenant, Path: e.Path, Hash: e.Hash}
		switch e.Kind {
		case source.Symlink, source.Submodule:
			f.Parsed = render.NotAFile(e.Kind.String())
		case source.TooLarge:
			f.Parsed = render.TooLarge(e.Size, source.MaxFileSize)
		case source.Overfull:
			f.Parsed = render.Overfull(source.MaxTenantEntries, source.MaxTenantContent)
		default:
			parsed, err := cache.Parse(e.Hash, func() ([]byte, error) { return read(ctx, e.Hash) })
			if err != nil {
				return nil, fmt.Errorf("read %s: %w", e.Path, err)
			}
			f.Parsed = parsed
		}
		files = append(files, f)
	}
	return files, nil
}

func readPolicy(path string) (*policy.Policy, error) {
	if path == "" {
		return policy.Default(), nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--policy: %w", err)
	}
	p, problems := policy.ParsePolicy(content, lint.Changeable)
	if len(problems) > 0 {
		return nil, &configError{path, problems}
	}
	return p, nil
}
