package source_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/portcullis-gitops/portcullis/source"
)

// sshHost serves repositories below / over ssh to one key.
type sshHost struct {
	addr     string
	hostKey  ssh.PublicKey
	keyFile  string
	commands chan string
}

func newKey(t *testing.T) (ssh.Signer, string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return signer, file
}

func serveSSH(t *testing.T) *sshHost {
	t.Helper()
	hostKey, _ := newKey(t)
	client, file := newKey(t)
	config := &ssh.ServerConfig{PublicKeyCallback: func(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if c.User() != "git" || string(key.Marshal()) != string(client.PublicKey().Marshal()) {
			return nil, fmt.Errorf("not you")
		}
		return nil, nil
	}}
	config.AddHostKey(hostKey)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	h := &sshHost{addr: l.Addr().String(), hostKey: hostKey.PublicKey(), keyFile: file, commands: make(chan string, 100)}
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { h.talk(conn, config) })
		}
	})
	return h
}

func (h *sshHost) talk(conn net.Conn, config *ssh.ServerConfig) {
	defer conn.Close()
	c, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	defer c.Close()
	go ssh.DiscardRequests(requests)
	for offered := range channels {
		ch, requests, err := offered.Accept()
		if err != nil {
			return
		}
		for r := range requests {
			if r.Type != "exec" {
				_ = r.Reply(false, nil)
				continue
			}
			_ = r.Reply(true, nil)
			h.run(ch, string(r.Payload[4:]))
			break
		}
		go ssh.DiscardRequests(requests)
	}
}

// run gives the command to a shell, as a real server does.
func (h *sshHost) run(ch ssh.Channel, command string) {
	h.commands <- command
	cmd := exec.Command("sh", "-c", command)
	cmd.Stdout, cmd.Stderr = ch, ch.Stderr()
	in, err := cmd.StdinPipe()
	if err != nil || cmd.Start() != nil {
		return
	}
	go func() { _, _ = io.Copy(in, ch); _ = in.Close() }()
	_ = cmd.Wait()
	_, _ = ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{uint32(cmd.ProcessState.ExitCode())}))
	_ = ch.Close()
}

func (h *sshHost) known(t *testing.T, key ssh.PublicKey) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "known_hosts")
	line := knownhosts.Line([]string{knownhosts.Normalize(h.addr)}, key)
	if err := os.WriteFile(file, []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func (h *sshHost) options(t *testing.T, u *upstream) source.Options {
	t.Helper()
	return source.Options{
		URL: "ssh://git@" + h.addr + u.bare, Path: "tenants",
		SSHKeyFile: h.keyFile, KnownHostsFile: h.known(t, h.hostKey),
	}
}

func TestSSH(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	h := serveSSH(t)
	r := open(t, h.options(t, u))
	if got := poll(t, r); got != first {
		t.Fatalf("head %s, want %s", got, first)
	}
	second := u.change("tenants/acme/a.yaml", "two")
	if got := poll(t, r); got != second {
		t.Fatalf("head %s, want %s", got, second)
	}
	text, err := r.Read(t.Context(), at(snapshot(t, r, second), "tenants/acme/a.yaml").Hash)
	if err != nil || string(text) != "two" {
		t.Fatalf("read %q, %v", text, err)
	}
	if got := <-h.commands; got != "git-upload-pack '"+u.bare+"'" {
		t.Errorf("the server was asked for %s", got)
	}
}

func TestSSHRefusals(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.change("tenants/acme/a.yaml", "one")
	h := serveSSH(t)
	other, otherFile := newKey(t)
	for name, test := range map[string]struct {
		change func(*source.Options)
		want   error
		text   string
	}{
		"another host key": {func(o *source.Options) { o.KnownHostsFile = h.known(t, other.PublicKey()) }, source.ErrHostKey, "another key"},
		"unknown host": {func(o *source.Options) {
			o.KnownHostsFile = filepath.Join(t.TempDir(), "none")
			if err := os.WriteFile(o.KnownHostsFile, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, source.ErrHostKey, "has no key for this server"},
		"another key":   {func(o *source.Options) { o.SSHKeyFile = otherFile }, source.ErrAuth, "sshKeyFile"},
		"no repository": {func(o *source.Options) { o.URL += "x" }, source.ErrNoRepository, "not appear to be a git repository"},
		"key is none": {func(o *source.Options) {
			o.SSHKeyFile = filepath.Join(t.TempDir(), "key")
			if err := os.WriteFile(o.SSHKeyFile, []byte(canary), 0o600); err != nil {
				t.Fatal(err)
			}
		}, nil, "holds no private key"},
	} {
		t.Run(name, func(t *testing.T) {
			opts := h.options(t, u)
			test.change(&opts)
			_, err := open(t, opts).Poll(t.Context())
			wantError(t, err, test.want, test.text)
		})
	}
}

func TestSSHSilentServerIsGivenUp(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.change("tenants/acme/a.yaml", "one")
	h := serveSSH(t)
	opts := h.options(t, u)
	opts.Timeout = shortTimeout
	opts.URL = strings.Replace(opts.URL, h.addr, silentAddress(t), 1)
	_, err := open(t, opts).Poll(t.Context())
	wantError(t, err, source.ErrUnavailable, "no answer in time")
}

// silentAddress accepts connections and never says a word.
func silentAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
		}
	}()
	return l.Addr().String()
}
