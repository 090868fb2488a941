package source

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// parseKeyRing reads one armored block or several, as `gpg --export --armor`
// writes them and `cat` joins them. What the parser says is not repeated, since
// it may quote what it could not parse.
//
// A key that is there twice is refused: one copy may be revoked and the other
// not, and gpg, which merges them on import, would not let it sign. A block of
// a revocation alone is refused too, rather than not heard. Revocations by
// another key, a designated revoker's, are not known to the library.
func parseKeyRing(data []byte) (openpgp.EntityList, error) {
	in := bufio.NewReader(bytes.NewReader(data)) // armor.Decode goes on where it ended
	var ring openpgp.EntityList
	for n := 1; ; n++ {
		block, err := armor.Decode(in)
		switch {
		case errors.Is(err, io.EOF) && n > 1:
			return ring, nil
		case err != nil:
			return nil, errors.New("holds no armored PGP keys (gpg --export --armor)")
		case block.Type != openpgp.PublicKeyType:
			return nil, fmt.Errorf("armored block %d is not of public keys", n)
		}
		body, err := io.ReadAll(block.Body) // to its end and checksum, so that the next can follow
		if err != nil {
			return nil, fmt.Errorf("armored block %d is damaged", n)
		}
		keys, err := openpgp.ReadKeyRing(bytes.NewReader(body))
		if err != nil || len(keys) == 0 {
			return nil, fmt.Errorf("armored block %d holds no key that can be read", n)
		}
		for _, key := range keys {
			if slices.ContainsFunc(ring, func(k *openpgp.Entity) bool { return k.PrimaryKey.KeyId == key.PrimaryKey.KeyId }) {
				return nil, fmt.Errorf("armored block %d holds key %s, which is there already: keep the newest copy", n, key.PrimaryKey.KeyIdString())
			}
			ring = append(ring, key)
		}
	}
}

func (v *Verifier) checkPGP(payload, signature []byte, now time.Time) (err error) {
	if v.pgp == nil {
		return unverified(nil, notKnown+"its signature is of PGP, and only SSH keys are known")
	}
	ring, err := v.pgp.load()
	if err != nil {
		return unverified(err, notKnown+"the known PGP keys cannot be read")
	}
	// Whoever may push may write any bytes there: they must not end the process.
	defer func() {
		if p := recover(); p != nil {
			err = unverified(fmt.Errorf("unreadable: %v", p), "bad PGP signature")
		}
	}()
	config := &packet.Config{Time: func() time.Time { return now }}
	_, err = openpgp.CheckArmoredDetachedSignature(ring, bytes.NewReader(payload), bytes.NewReader(signature), config)
	if err == nil {
		return nil
	}
	return unverified(err, pgpReason(err, pgpIssuer(signature)))
}

func pgpReason(err error, key string) string {
	switch {
	case errors.Is(err, pgperrors.ErrUnknownIssuer):
		return notKnown + "PGP key " + key
	case errors.Is(err, pgperrors.ErrKeyRevoked):
		return "PGP key " + key + " is revoked"
	case errors.Is(err, pgperrors.ErrKeyExpired):
		return "PGP key " + key + " has expired, or is not valid yet"
	case errors.Is(err, pgperrors.ErrSignatureExpired):
		return "PGP signature has expired, or is not valid yet"
	}
	return "bad PGP signature"
}

// pgpIssuer is the ID of the key that a signature names, as gpg shows it.
func pgpIssuer(signature []byte) string {
	const nobody = "without an ID"
	block, err := armor.Decode(bytes.NewReader(signature))
	if err != nil {
		return nobody
	}
	p, err := packet.NewReader(block.Body).Next()
	sig, ok := p.(*packet.Signature)
	if err != nil || !ok || sig.IssuerKeyId == nil {
		return nobody
	}
	return fmt.Sprintf("%016X", *sig.IssuerKeyId)
}
