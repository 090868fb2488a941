package source

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// gitNamespace is what Git signs under, so that a signature of something else
// cannot be passed off as a commit's.
const gitNamespace = "git"

func (v *Verifier) checkSSH(payload, signature []byte) (err error) {
	if v.ssh == nil {
		return unverified(nil, notKnown+"its signature is of SSH, and only PGP keys are known")
	}
	signers, err := v.ssh.load()
	if err != nil {
		return unverified(err, notKnown+"the known SSH keys cannot be read")
	}
	// As with PGP: whoever may push may write any bytes there.
	defer func() {
		if p := recover(); p != nil {
			err = unverified(fmt.Errorf("unreadable: %v", p), badSSH)
		}
	}()
	sig, err := sshsig.Unarmor(signature)
	if err != nil {
		return unverified(nil, badSSH)
	}
	if err := mayCommit(signers, sig.PublicKey, payload); err != nil {
		return err
	}
	return checkSSHSignature(sig, payload)
}

const badSSH = "bad SSH signature"

// checkSSHSignature checks what the key has signed. RSA with SHA-1, which the
// protocol forbids (PROTOCOL.sshsig of OpenSSH), did not even parse.
func checkSSHSignature(sig *sshsig.Signature, payload []byte) error {
	err := sshsig.Verify(bytes.NewReader(payload), sig, sig.PublicKey, sig.HashAlgorithm, gitNamespace)
	switch {
	case errors.Is(err, sshsig.ErrNamespaceMismatch):
		return unverified(nil, badSSH+": it was not made for Git")
	case err != nil:
		return unverified(err, badSSH)
	}
	return nil
}

// mayCommit tells whether some line lets the key sign this commit. Of several
// reasons why not, the last line's is given.
func mayCommit(signers []allowedSigner, key ssh.PublicKey, payload []byte) error {
	name := ssh.FingerprintSHA256(key)
	if _, isCertificate := key.(*ssh.Certificate); isCertificate {
		return unverified(nil, notKnown+"SSH certificates are not supported")
	}
	head, err := parseCommit(plumbing.ZeroHash, payload)
	if err != nil || head.when <= 0 {
		return unverified(err, "its date, or its tree, cannot be read")
	}
	at := time.Unix(head.when, 0)
	reason := notKnown + "SSH key " + name
	for _, s := range signers {
		if !bytes.Equal(s.key.Marshal(), key.Marshal()) {
			continue
		}
		switch {
		case !s.git:
			reason = "SSH key " + name + " is not known for namespace git"
		case !s.after.IsZero() && at.Before(s.after):
			reason = "SSH key " + name + " was not valid yet at the commit's date"
		case !s.before.IsZero() && at.After(s.before):
			reason = "SSH key " + name + " had expired at the commit's date"
		default:
			return nil
		}
	}
	return unverified(nil, reason)
}
