package source

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/transport"
)

// The two services of a Git server, by their names in the protocol.
const (
	uploadPack  = transport.UploadPackServiceName
	receivePack = transport.ReceivePackServiceName
)

// session is one conversation with a remote, over whatever carries it. The
// context it was opened with bounds all of it: when that ends, so does every
// call, with an error.
type session interface {
	// advertised are the remote's refs, listed through the given reader; empty
	// for an empty repository.
	advertised(through func(io.Reader) io.Reader) (*packp.AdvRefs, error)
	// fetch asks for objects; what is read is the answer's pack, as it came,
	// side bands and all.
	fetch(*packp.UploadPackRequest) (io.ReadCloser, error)
	push(*packp.ReferenceUpdateRequest) (*packp.ReportStatus, error)
	// close ends the conversation, whatever its state.
	close()
}

// link is a session with what is needed to tell of its failures.
type link struct {
	session
	ctx      context.Context
	url      string
	secrets  []string
	multiAck bool                  // see asksMultiAck
	refused  func(password string) // nil: nobody wants to know
}

// fail says what was tried on which remote and why it did not work.
func (l *link) fail(doing string, err error) error {
	err = judge(l.ctx, err, l.secrets)
	if l.refused != nil && len(l.secrets) > 0 && errors.Is(err, ErrAuth) {
		l.refused(l.secrets[len(l.secrets)-1])
	}
	return fmt.Errorf("%s %s: %w", doing, l.url, err)
}

// refs lists what the remote has; an empty repository has nothing.
func (l *link) refs() (*packp.AdvRefs, error) { return l.list(asItIs) }

func asItIs(from io.Reader) io.Reader { return from }

func (l *link) list(through func(io.Reader) io.Reader) (*packp.AdvRefs, error) {
	adv, err := l.advertised(through)
	if errors.Is(err, transport.ErrEmptyRemoteRepository) {
		return packp.NewAdvRefs(), nil
	}
	if err != nil {
		return nil, l.fail("list the refs of", err)
	}
	return adv, nil
}

// dial opens a conversation. The caller closes the link.
func (r Remote) dial(ctx context.Context, service string) (*link, error) {
	l := &link{ctx: ctx, url: r.URL()}
	e, user, err := endpoint(r.opts.URL)
	if err != nil {
		return nil, err
	}
	l.multiAck = asksMultiAck(e.Host)
	if r.opts.Login != nil {
		l.refused = r.opts.Login.Refused
	}
	switch e.Protocol {
	case "file":
		l.session, err = openFile(ctx, e, service)
	case "ssh":
		l.session, err = openSSH(ctx, r.opts, e, user, service)
	default:
		l.session, l.secrets, err = openHTTP(ctx, r.opts, e, user, service)
	}
	if err != nil {
		return nil, l.failLocal("connect to", err)
	}
	return l, nil
}

// local marks an error of this side: a file that cannot be read, a program
// that is missing. Its text is our own and passes as it is.
type local struct{ error }

func (e local) Unwrap() error { return e.error }

func (l *link) failLocal(doing string, err error) error {
	var own local
	if errors.As(err, &own) {
		return fmt.Errorf("%s %s: %w", doing, l.url, own.error)
	}
	return l.fail(doing, err)
}
