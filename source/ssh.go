package source

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	"golang.org/x/net/proxy"
)

const sshPort = 22

// openSSH runs Git's server program on another machine. The host's key is
// always checked. Nothing is taken from the user's own ssh configuration, nor
// from an agent.
func openSSH(ctx context.Context, o Options, e *transport.Endpoint, user, service string) (session, error) {
	port := e.Port
	if port <= 0 {
		port = sshPort
	}
	addr := net.JoinHostPort(e.Host, strconv.Itoa(port))
	config, err := sshConfig(o, user, addr)
	if err != nil {
		return nil, local{err}
	}
	client, err := sshClient(ctx, o.Proxy, addr, config)
	if err != nil {
		return nil, sshFailure(err, o.KnownHostsFile)
	}
	s, err := startSSH(client, service, e.Path)
	if err != nil {
		_ = client.Close()
	}
	return s, err
}

// sshConfig offers only key types that known_hosts has for the host: a server
// with several keys would else show one that is not listed, and be refused.
func sshConfig(o Options, user, addr string) (*ssh.ClientConfig, error) {
	key, err := signer(o.SSHKeyFile)
	if err != nil {
		return nil, err
	}
	known, err := knownhosts.NewDB(o.KnownHostsFile)
	if err != nil {
		return nil, fmt.Errorf("read knownHostsFile %s: %w", o.KnownHostsFile, err)
	}
	for _, name := range []string{o.Username, "git"} {
		if user == "" {
			user = name
		}
	}
	return &ssh.ClientConfig{
		User:              user,
		Auth:              []ssh.AuthMethod{ssh.PublicKeys(key)},
		HostKeyCallback:   known.HostKeyCallback(),
		HostKeyAlgorithms: known.HostKeyAlgorithms(addr),
	}, nil
}

// sshClient connects. The connection is closed when the context ends, which is
// the only thing that ends a handshake with a server that keeps silent.
func sshClient(ctx context.Context, via, addr string, config *ssh.ClientConfig) (*ssh.Client, error) {
	conn, err := dialTCP(ctx, via, addr)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	c, chans, reqs, err := ssh.NewClientConn(conn, addr, config)
	if err != nil {
		stop()
		_ = conn.Close()
		return nil, err
	}
	return ssh.NewClient(c, chans, reqs), nil
}

func dialTCP(ctx context.Context, via, addr string) (net.Conn, error) {
	direct := &net.Dialer{}
	if via == "" {
		return direct.DialContext(ctx, "tcp", addr)
	}
	u, err := url.Parse(via)
	if err != nil {
		return nil, local{errBadProxy}
	}
	d, err := proxy.FromURL(u, direct)
	if err != nil {
		return nil, local{errBadProxy}
	}
	through, ok := d.(proxy.ContextDialer)
	if !ok {
		return nil, local{errBadProxy}
	}
	return through.DialContext(ctx, "tcp", addr)
}

func startSSH(client *ssh.Client, service, path string) (session, error) {
	run, err := client.NewSession()
	if err != nil {
		return nil, err
	}
	in, err := run.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := run.StdoutPipe()
	if err != nil {
		return nil, err
	}
	words := &said{}
	run.Stderr = words
	if err := run.Start(service + " " + quoted(path)); err != nil {
		return nil, err
	}
	end := sync.OnceFunc(func() {
		_ = in.Close()
		_ = run.Close()
		_ = client.Close()
		_ = run.Wait()
	})
	return &stream{in: in, out: newRation(out), said: words, end: end}, nil
}

// quoted makes one word of a path for the shell at the other end.
func quoted(path string) string {
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

func sshFailure(err error, file string) error {
	switch {
	case knownhosts.IsHostKeyChanged(err):
		return fmt.Errorf("%w: the server shows another key than %s has for it", ErrHostKey, file)
	case knownhosts.IsHostUnknown(err):
		return fmt.Errorf("%w: %s has no key for this server", ErrHostKey, file)
	case strings.Contains(err.Error(), "unable to authenticate"):
		return fmt.Errorf("%w: the server does not accept the key of sshKeyFile", ErrAuth)
	}
	var negotiation *ssh.AlgorithmNegotiationError
	if errors.As(err, &negotiation) && strings.Contains(negotiation.What, "host key") {
		return fmt.Errorf("%w: the server has no key of the types that %s has for it", ErrHostKey, file)
	}
	return err
}
