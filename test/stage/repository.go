package stage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Tenants is the folder of the tenants in a shared repository.
const Tenants = "tenants"

// Commit is a change to push. Paths are below the repository's Root.
type Commit struct {
	Message string
	Write   map[string]string // contents by path
	Link    map[string]string // symbolic links: targets by path
	Remove  []string
}

// Repository is a remote one and a work clone to push to it from.
type Repository struct {
	// Work is the folder of the clone.
	Work string
	// Root is what paths are below: the tenants' folder of a shared
	// repository, empty in a tenant's own.
	Root string

	names *names
	bare  string // where it is on this machine; empty where it is elsewhere
}

// newRepository makes the work clone of a remote that is empty.
func newRepository(ctx context.Context, work, remote, root string, n *names) (*Repository, error) {
	r := &Repository{Work: work, Root: root, names: n}
	if err := os.MkdirAll(work, 0o755); err != nil {
		return r, fmt.Errorf("make a work clone: %w", err)
	}
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=main"},
		{"remote", "add", "origin", remote},
		{"config", "user.name", "A tenant's admin"}, // for those who try the demo's clone
		{"config", "user.email", "admin@acme.example"},
	} {
		if _, err := git(ctx, work, args...); err != nil {
			return r, err
		}
	}
	return r, nil
}

// Push commits a change and pushes it to main; it answers the commit's hash.
func (r *Repository) Push(ctx context.Context, c Commit) (string, error) {
	sha, err := r.Commit(ctx, c)
	if err != nil {
		return "", err
	}
	_, err = git(ctx, r.Work, "push", "--quiet", "origin", "main")
	return sha, err
}

// Commit commits a change without pushing it.
func (r *Repository) Commit(ctx context.Context, c Commit) (string, error) {
	if err := r.change(c); err != nil {
		return "", fmt.Errorf("change the work clone: %w", err)
	}
	if _, err := git(ctx, r.Work, "add", "--all"); err != nil {
		return "", err
	}
	if _, err := git(ctx, r.Work, "commit", "--quiet", "--allow-empty", "--message", c.Message); err != nil {
		return "", err
	}
	return r.Head(ctx)
}

// Rewind resets main to an earlier commit and pushes that by force.
func (r *Repository) Rewind(ctx context.Context, to string) error {
	if _, err := git(ctx, r.Work, "reset", "--quiet", "--hard", to); err != nil {
		return err
	}
	_, err := git(ctx, r.Work, "push", "--quiet", "--force", "origin", "main")
	return err
}

// Head is the clone's newest commit.
func (r *Repository) Head(ctx context.Context) (string, error) {
	return git(ctx, r.Work, "rev-parse", "HEAD")
}

// Read is a file of the clone, with the examples' names.
func (r *Repository) Read(path string) (string, error) {
	content, err := os.ReadFile(r.at(path))
	if err != nil {
		return "", fmt.Errorf("read the work clone: %w", err)
	}
	return r.names.example(string(content)), nil
}

func (r *Repository) at(path string) string {
	return filepath.Join(r.Work, r.Root, filepath.FromSlash(r.names.own(path)))
}

func (r *Repository) change(c Commit) error {
	var errs []error
	for _, path := range c.Remove {
		errs = append(errs, os.Remove(r.at(path)))
	}
	for path, content := range c.Write {
		errs = append(errs, place(r.at(path), func(at string) error {
			return os.WriteFile(at, []byte(r.names.own(content)), 0o644)
		}))
	}
	for path, target := range c.Link {
		errs = append(errs, place(r.at(path), func(at string) error { return os.Symlink(target, at) }))
	}
	return errors.Join(errs...)
}

// place makes a file where there may be another, or no folder yet.
func place(at string, create func(string) error) error {
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	if err := os.Remove(at); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return create(at)
}

// readTree reads the files below a folder, by path with slashes.
func readTree(dir string) (map[string]string, error) {
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		below, err := filepath.Rel(dir, path)
		out[filepath.ToSlash(below)] = string(content)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the files of %s: %w", dir, err)
	}
	return out, nil
}

// Branch renames the remote's main, so that it is gone until the next Push.
func (r *Repository) Branch(ctx context.Context, name string) error {
	_, err := git(ctx, r.bare, "branch", "--move", "main", name)
	return err
}

// PushTo has a branch of the remote be at a commit of the clone.
func (r *Repository) PushTo(ctx context.Context, sha, branch string) error {
	_, err := git(ctx, r.Work, "push", "--quiet", r.bare, sha+":refs/heads/"+branch)
	return err
}

// PushLocally pushes past the server: its folder is on this machine.
func (r *Repository) PushLocally(ctx context.Context) error {
	_, err := git(ctx, r.Work, "push", "--quiet", r.bare, "main")
	return err
}
