package source

import (
	"bytes"
	"fmt"
)

// maxSignature bounds what is looked at of a commit's signature, in bytes. One
// by a key of 16,384 bits has less than 8 KiB.
const maxSignature = 64 << 10

// signedPart divides a commit into its signature and what that is of, byte for
// byte as Git does: all but the header gpgsig and its likes, of which Git signs
// none. go-git would write the commit anew from the headers that it knows,
// which verifies another text than the one that was signed.
//
// The signature is empty where there is none. One in gpgsig-sha256 is of
// another object: the same commit in a repository of that kind.
func signedPart(object []byte) (payload, signature []byte, err error) {
	count := 0
	var header []byte // that the line belongs to
	for rest := object; len(rest) > 0; {
		line := rest
		if end := bytes.IndexByte(rest, '\n'); end >= 0 {
			line = rest[:end+1]
		}
		if line[0] == '\n' { // the message begins
			payload = append(payload, rest...)
			break
		}
		rest = rest[len(line):]
		text := line
		if line[0] == ' ' {
			text = line[1:]
		} else {
			header, text, _ = bytes.Cut(line, []byte(" "))
			if string(header) == "gpgsig" {
				count++
			}
		}
		switch {
		case string(header) == "gpgsig":
			signature = append(signature, text...)
		case !bytes.HasPrefix(header, []byte("gpgsig")):
			payload = append(payload, line...)
		}
	}
	switch {
	case count > 1:
		return nil, nil, unverified(nil, "bad signature: there are several")
	case len(signature) > maxSignature:
		return nil, nil, unverified(nil, fmt.Sprintf("bad signature: it is over %d KiB", maxSignature>>10))
	}
	return payload, signature, nil
}
