package source

import (
	"context"
	"errors"
	"fmt"
	"syscall"
)

// damage is an error of the mirror itself, which making it anew puts right.
type damage struct {
	what string
	err  error
}

func (d *damage) Error() string { return fmt.Sprintf("mirror is damaged: %s: %v", d.what, d.err) }
func (d *damage) Unwrap() error { return d.err }

func isDamage(err error) bool {
	var d *damage
	return errors.As(err, &d)
}

// damaged marks an error of reading the mirror. What comes from the machine
// (no more descriptors, no permission, a full disk) is not the mirror's fault,
// and making it anew would make things worse.
func damaged(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case isDamage(err), errors.Is(err, ErrTooLarge), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case machine(err):
		return fmt.Errorf("read mirror: %s: %w", what, err)
	}
	return &damage{what, err}
}

func machine(err error) bool {
	for _, no := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOSPC, syscall.EDQUOT, syscall.EACCES, syscall.EPERM, syscall.EROFS, syscall.EINTR} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}

// recovered turns a panic over bytes that no Git wrote into damage.
func recovered(what string, err *error) {
	if p := recover(); p != nil {
		*err = &damage{what, fmt.Errorf("unreadable: %v", p)}
	}
}
