package source

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/go-logr/logr"
)

// Options say what is mirrored, from where and how. All files are read each
// time they are used.
type Options struct {
	Name   string // of the source, for logs
	URL    string // see CheckURL
	Branch string // default main

	// Path is the folder whose subfolders are tenants; "." or "" is the
	// repository's root. With Tenant it is where that tenant's files are.
	Path string
	// Tenant, if set, has the whole of Path to itself.
	Tenant string

	// Pulls, if set, says where the remote shows the heads of pull requests.
	Pulls PullRefs

	Dir string // folder of this mirror, owned by it; made if missing

	TokenFile    string // https: sent as the password of Username, by default "git"
	Username     string // https with PasswordFile; ssh where the URL has no user
	PasswordFile string
	Login        Login // https: in the place of files
	// SSHKeyFile and KnownHostsFile are required for ssh. The key has no passphrase.
	SSHKeyFile     string
	KnownHostsFile string
	CAFile         string // PEM; in addition to the system's authorities
	// Proxy is a URL, http, https or socks5 for https, socks5 for ssh. Without
	// one, https follows the usual environment variables.
	Proxy        string
	InsecureHTTP bool // permits http beyond the loopback interface

	// Timeout bounds one operation on the remote, default 2 minutes. A whole
	// clone may take five times as long.
	Timeout time.Duration
	// MaxPacks is how many packs may pile up before the mirror is made anew,
	// default 50. Each fetch adds one.
	MaxPacks int

	Log logr.Logger // the zero value is silent
}

// Login knows user and password for https where files do not hold them.
type Login interface {
	// Login is asked for each conversation, and hands out what is good for that
	// long.
	Login(ctx context.Context) (user, password string, err error)
	// Refused says that the host did not take a password.
	Refused(password string)
}

const (
	defaultBranch   = "main"
	defaultTimeout  = 2 * time.Minute
	defaultMaxPacks = 50
	// cloneFactor is how many times Timeout a whole clone may take.
	cloneFactor = 5
)

func (o Options) withDefaults() Options {
	if o.Branch == "" {
		o.Branch = defaultBranch
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.MaxPacks <= 0 {
		o.MaxPacks = defaultMaxPacks
	}
	o.Path = strings.Trim(path.Clean("/"+o.Path), "/")
	if o.Log.GetSink() == nil {
		o.Log = logr.Discard()
	}
	return o
}

// check refuses what could never work, before anything is contacted.
func (o Options) check() error {
	if err := CheckURL(o.URL, o.InsecureHTTP); err != nil {
		return err
	}
	switch {
	case o.TokenFile != "" && o.PasswordFile != "":
		return errors.New("credentials: tokenFile and passwordFile exclude each other")
	case o.Login != nil && (o.TokenFile != "" || o.PasswordFile != ""):
		return errors.New("credentials: a login and files of credentials exclude each other")
	case o.PasswordFile != "" && o.Username == "":
		return errors.New("credentials: passwordFile needs username")
	case isSSH(o.URL) && (o.SSHKeyFile == "" || o.KnownHostsFile == ""):
		return errors.New("credentials: ssh needs sshKeyFile and knownHostsFile")
	}
	return o.checkProxy()
}

func (o Options) checkProxy() error {
	if o.Proxy == "" {
		return nil
	}
	u, err := url.Parse(o.Proxy)
	if err != nil || u.Host == "" { // the text of err repeats the URL
		return errors.New("proxy: not a URL with a host")
	}
	socks := u.Scheme == "socks5" || u.Scheme == "socks5h"
	if isSSH(o.URL) && !socks {
		return errors.New("proxy: ssh takes socks5:// only")
	}
	if !socks && u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("proxy: scheme %q is not http, https or socks5", u.Scheme)
	}
	return nil
}

func isSSH(raw string) bool {
	return strings.HasPrefix(raw, "ssh://") || !strings.Contains(raw, "://")
}
