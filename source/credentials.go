package source

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"golang.org/x/crypto/ssh"
)

// secretFile reads one credential. A newline at its end is not part of it:
// editors and `echo` put one there.
func secretFile(what, file string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", what, err)
	}
	secret := bytes.TrimRight(data, "\r\n")
	if len(secret) == 0 {
		return "", fmt.Errorf("read %s: %s is empty", what, file)
	}
	if bytes.ContainsAny(secret, "\r\n\x00") {
		return "", fmt.Errorf("read %s: %s holds more than one line", what, file)
	}
	return string(secret), nil
}

// basic is the user and password for https; both empty without credentials.
// "git" as the user of a token is what GitHub, GitLab and Gitea all take.
func (o Options) basic(ctx context.Context, urlUser string) (user, password string, err error) {
	if o.Login != nil {
		return o.Login.Login(ctx)
	}
	user = o.Username
	if user == "" {
		user = urlUser
	}
	switch {
	case o.TokenFile != "":
		password, err = secretFile("tokenFile", o.TokenFile)
	case o.PasswordFile != "":
		password, err = secretFile("passwordFile", o.PasswordFile)
	default:
		return "", "", nil
	}
	if user == "" {
		user = "git"
	}
	return user, password, err
}

// signer reads the ssh key. Errors of the parser are not repeated, since they
// may quote what they could not parse.
func signer(file string) (ssh.Signer, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read sshKeyFile: %w", err)
	}
	key, err := ssh.ParsePrivateKey(data)
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) {
		return nil, fmt.Errorf("read sshKeyFile: the key in %s has a passphrase, which nobody is there to type", file)
	}
	if err != nil {
		return nil, fmt.Errorf("read sshKeyFile: %s holds no private key", file)
	}
	return key, nil
}

// authorities are the system's certificate authorities and those of file.
func authorities(file string) (*x509.CertPool, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read caFile: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("read caFile: %s holds no certificate", file)
	}
	return pool, nil
}
