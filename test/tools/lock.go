package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockPoll is how often a taken lock is tried again: waiting inside flock
// could not be interrupted.
const lockPoll = 200 * time.Millisecond

// lock takes the lock of what r builds, and waits while another process, or
// another call in this one, has it. The system lets go of it when the process
// ends, however that happens; the empty file stays.
func (s *shop) lock(ctx context.Context, r recipe) (unlock func(), err error) {
	if err := os.MkdirAll(s.cache, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder for built tools: %w", err)
	}
	path := filepath.Join(s.cache, fmt.Sprintf("%s-%s-%s.lock", r.name, r.version, r.key))
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock the build of %s: %w", r.name, err)
	}
	if err := s.flock(ctx, file, r); err != nil {
		file.Close()
		return nil, fmt.Errorf("lock the build of %s with %s: %w", r.name, path, err)
	}
	return func() { file.Close() }, nil
}

func (s *shop) flock(ctx context.Context, file *os.File, r recipe) error {
	for told := false; ; told = true {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return err
		}
		if !told {
			s.say("waiting: another call builds %s; usually %s", r.name, r.usual)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lockPoll):
		}
	}
}
