package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/go-git/go-git/v5/plumbing"
)

// Verifier tells commits that somebody known has signed from those that nobody
// has. Whose signatures count is in one or two files, which are read each time,
// so that a key that is added or taken away counts at once. Who among them
// signed makes no difference, nor whom the commit names as its committer.
//
// Times are taken as Git takes them, with gpg and ssh-keygen. A PGP key must be
// neither expired nor revoked now, whenever it signed, and the signature itself
// not expired. The valid-after and valid-before of an allowed signer are held
// against the commit's own date, which the signer writes: to stop a key that
// was stolen, its line must go.
//
// It is safe for concurrent use.
type Verifier struct {
	pgp *keyFile[openpgp.EntityList] // nil where no PGP signature counts
	ssh *keyFile[[]allowedSigner]    // nil where no SSH signature counts
}

// NewVerifier reads an armored PGP key ring, or an allowed-signers file as
// ssh-keygen(1) has it, or both; "" is none. Either must be readable and whole
// now. One that is not so later on vouches for nobody until it is mended.
func NewVerifier(pgpKeyRingFile, sshAllowedSignersFile string) (*Verifier, error) {
	v := &Verifier{}
	var errs []error
	if pgpKeyRingFile != "" {
		v.pgp = &keyFile[openpgp.EntityList]{what: "pgpKeyRingFile", path: pgpKeyRingFile, parse: parseKeyRing}
		_, err := v.pgp.load()
		errs = append(errs, err)
	}
	if sshAllowedSignersFile != "" {
		v.ssh = &keyFile[[]allowedSigner]{what: "sshAllowedSignersFile", path: sshAllowedSignersFile,
			// The zone of dates without one is the machine's, as ssh-keygen(1) says.
			parse: func(data []byte) ([]allowedSigner, error) { return parseSigners(data, time.Local) }}
		_, err := v.ssh.load()
		errs = append(errs, err)
	}
	if v.pgp == nil && v.ssh == nil {
		errs = append(errs, errors.New("verify: neither pgpKeyRingFile nor sshAllowedSignersFile is given"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return v, nil
}

// UnverifiedError says why a commit does not count as signed by a known key.
type UnverifiedError struct {
	Commit string
	// Reason is for those who read the commit: one line, without names of the
	// operator's files.
	Reason string
	// Err has more for the operator; nil where there is no more to say.
	Err error
}

func (e *UnverifiedError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("commit %s: %s: %v", e.Commit, e.Reason, e.Err)
	}
	return fmt.Sprintf("commit %s: %s", e.Commit, e.Reason)
}

func (e *UnverifiedError) Unwrap() error { return e.Err }

// notKnown begins the reasons that somebody known can mend by signing.
const notKnown = "not signed by a known key: "

// Verify answers nil for a commit that bears a valid signature by a known key,
// else an UnverifiedError. The object is the commit's content as it is stored,
// which the caller has held against the commit's hash.
func (v *Verifier) Verify(commit string, object []byte, now time.Time) error {
	payload, signature, err := signedPart(object)
	if err == nil {
		err = v.check(payload, signature, now)
	}
	var why *UnverifiedError
	if errors.As(err, &why) {
		why.Commit = commit
	}
	return err
}

func (v *Verifier) check(payload, signature []byte, now time.Time) error {
	switch text := string(bytes.TrimSpace(signature)); {
	case text == "":
		return unverified(nil, notKnown+"it has no signature")
	case strings.HasPrefix(text, "-----BEGIN PGP "):
		return v.checkPGP(payload, signature, now)
	case strings.HasPrefix(text, "-----BEGIN SSH "):
		return v.checkSSH(payload, signature)
	}
	return unverified(nil, notKnown+"its signature is neither of PGP nor of SSH")
}

func unverified(err error, reason string) error { return &UnverifiedError{Reason: reason, Err: err} }

// Verify reads a commit of the mirror and has it judged: nil, or an
// UnverifiedError. Another error says that the commit could not be read.
func (r *Repository) Verify(ctx context.Context, commit string, by *Verifier, now time.Time) error {
	h, err := commitHash(commit)
	if err != nil {
		return err
	}
	var object []byte
	err = r.use(ctx, func(m *mirror) (err error) {
		if err := m.present(h); err != nil {
			return err
		}
		object, err = m.read(plumbing.CommitObject, h, maxCommit)
		return err
	})
	if err != nil {
		return fmt.Errorf("source %s: read commit %s: %w", r.opts.Name, commit, err)
	}
	return by.Verify(commit, object, now)
}
