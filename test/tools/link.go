package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// link points bin/<name> to the kept program. The new link is renamed over the
// old one, so that who starts the program meanwhile finds either.
func (s *shop) link(r recipe) error {
	at, to := filepath.Join(s.bin, r.name), s.kept(r)
	if have, err := os.Readlink(at); err == nil && have == to {
		return nil
	}
	if err := os.MkdirAll(s.bin, 0o755); err != nil {
		return fmt.Errorf("make the folder of links: %w", err)
	}
	fresh := fmt.Sprintf("%s.%d", at, os.Getpid())
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("link %s: %w", at, err)
	}
	if err := errors.Join(os.Symlink(to, fresh), os.Rename(fresh, at)); err != nil {
		return fmt.Errorf("link %s: %w", at, err)
	}
	return nil
}
