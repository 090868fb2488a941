package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"unicode"

	"github.com/go-git/go-git/v5/plumbing/transport"
)

// What can go wrong, for errors.Is.
var (
	// ErrNoBranch: the remote answered, and has no such ref. Also what an
	// empty repository gives. It never means that the files are gone.
	ErrNoBranch = errors.New("no such branch on the remote")
	// ErrAuth: the remote refused the credentials, or wants some.
	ErrAuth = errors.New("credentials refused")
	// ErrHostKey: the ssh server is not the one that known_hosts knows.
	ErrHostKey = errors.New("host key not accepted")
	// ErrNoRepository: the remote says there is no such repository. Hosts say
	// so too where the credentials may not see it.
	ErrNoRepository = errors.New("no such repository, or not for these credentials")
	// ErrUnavailable: no answer, or none that makes sense. Trying again may help.
	ErrUnavailable = errors.New("the remote is unavailable")
	// ErrMoved: a ref was moved by somebody else meanwhile; fetch and try again.
	ErrMoved = errors.New("the ref has moved on the remote")
	// ErrRefused: the remote does not let this ref be written.
	ErrRefused = errors.New("the remote refused the push")
	// ErrTooLarge: an object or a transfer is over its limit.
	ErrTooLarge = errors.New("too large")
	// ErrNotFound: the mirror, which is whole, has no such object.
	ErrNotFound = errors.New("not in the mirror")
	// ErrLocked: another process uses the mirror's folder.
	ErrLocked = errors.New("folder is in use")
)

// errTimeout is the cause with which operations on the remote are cut off.
var errTimeout = fmt.Errorf("no answer in time: %w", context.DeadlineExceeded)

// maxSaid bounds how much of a server's words is repeated, in bytes.
const maxSaid = 300

// judge turns an error of an operation on the remote into one of this
// package's. What a server said is repeated only in part and never with the
// secrets in it; errors that may carry a whole response are not wrapped.
func judge(ctx context.Context, err error, secrets []string) error {
	if cause := context.Cause(ctx); cause != nil {
		return cutOff(cause)
	}
	for _, own := range []error{ErrNoBranch, ErrHostKey, ErrAuth, ErrMoved, ErrRefused, ErrTooLarge, ErrNoRepository, ErrUnavailable} {
		if errors.Is(err, own) {
			return err
		}
	}
	if file := (*fs.PathError)(nil); errors.As(err, &file) || isDamage(err) {
		return err // of this machine, not of the remote
	}
	switch {
	case errors.Is(err, transport.ErrAuthenticationRequired):
		return fmt.Errorf("%w (401 or none given): %w", ErrAuth, transport.ErrAuthenticationRequired)
	case errors.Is(err, transport.ErrAuthorizationFailed):
		return fmt.Errorf("%w (403): %w", ErrAuth, transport.ErrAuthorizationFailed)
	case errors.Is(err, transport.ErrRepositoryNotFound):
		return ErrNoRepository
	}
	return fmt.Errorf("%w: %s", ErrUnavailable, clean(err.Error(), secrets))
}

// cutOff tells a time limit of ours from a caller who has lost interest.
func cutOff(cause error) error {
	if errors.Is(cause, context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w", ErrUnavailable, errTimeout)
	}
	return cause
}

// clean makes one short line of what somebody else wrote, without secrets.
func clean(text string, secrets []string) string {
	for _, s := range secrets {
		if s != "" {
			text = strings.ReplaceAll(text, s, "***")
		}
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.TrimSpace(text))
	if len(text) > maxSaid {
		return strings.ToValidUTF8(text[:maxSaid], "") + "..."
	}
	return text
}
