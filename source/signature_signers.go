package source

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// dsa is a type of key whose signatures are of SHA-1.
const dsa = "ssh-dss"

// allowedSigner is one line of an allowed-signers file.
type allowedSigner struct {
	key ssh.PublicKey
	git bool // may sign in Git's namespace
	// The key signs from after to before, both included; zero is no bound.
	after, before time.Time
}

// parseSigners reads an allowed-signers file (ssh-keygen(1), ALLOWED SIGNERS):
// principals, options, key type, key, comment. The principals say who may be
// named as the signer; nobody is named here, so each is as good as another.
// Unlike ssh-keygen, which passes over lines that it does not understand, any
// fault is an error: a signer who counts for nothing by mistake is noticed at
// once. Certificate authorities are not supported, and such a fault. Errors
// name the line and repeat nothing of it. Dates without Z are of that zone.
func parseSigners(data []byte, zone *time.Location) ([]allowedSigner, error) {
	var out []allowedSigner
	number := 0
	for line := range bytes.Lines(data) {
		number++
		text := strings.TrimSpace(string(line))
		if text == "" || text[0] == '#' {
			continue
		}
		s, err := parseSigner(text, zone)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return nil, errors.New("names no signer")
	}
	return out, nil
}

func parseSigner(line string, zone *time.Location) (allowedSigner, error) {
	s := allowedSigner{git: true}
	principals, rest, err := cutPrincipals(line)
	if err != nil {
		return s, err
	}
	if !someone(principals) {
		return s, errors.New("its principals are nobody")
	}
	// What follows has the form of authorized_keys, sshd(8).
	key, _, options, more, err := ssh.ParseAuthorizedKey([]byte(rest))
	if err != nil || len(more) > 0 {
		return s, errors.New("want principals, options if any, key type, key")
	}
	if _, isCertificate := key.(*ssh.Certificate); isCertificate {
		return s, errors.New("certificates are not supported: name the key itself")
	}
	if key.Type() == dsa {
		return s, errors.New("DSA keys are too weak, and OpenSSH has given them up")
	}
	s.key = key
	return s, s.take(options, zone)
}

// cutPrincipals divides off the first field, which may be in quotes.
func cutPrincipals(line string) (principals, rest string, err error) {
	if quoted, ok := strings.CutPrefix(line, `"`); ok {
		principals, rest, ok = strings.Cut(quoted, `"`)
		if !ok {
			return "", "", errors.New("a quotation mark is not closed")
		}
		return principals, strings.TrimSpace(rest), nil
	}
	end := strings.IndexAny(line, " \t")
	if end < 0 {
		return "", "", errors.New("there is no key")
	}
	return line[:end], strings.TrimSpace(line[end:]), nil
}

// someone tells whether a list of patterns can match anything at all.
func someone(patterns string) bool {
	for p := range strings.SplitSeq(patterns, ",") {
		if p != "" && p[0] != '!' {
			return true
		}
	}
	return false
}

// take reads the options. Their names are in any case, and their values in
// quotes.
func (s *allowedSigner) take(options []string, zone *time.Location) error {
	seen := map[string]bool{}
	for _, option := range options {
		name, quoted, hasValue := strings.Cut(option, "=")
		name = strings.ToLower(name)
		if seen[name] {
			return errors.New("an option is given twice")
		}
		seen[name] = true
		if name == "cert-authority" && !hasValue {
			return errors.New("cert-authority is not supported: name the keys themselves")
		}
		value, err := unquote(quoted)
		if err != nil {
			return err
		}
		if err := s.set(name, value, zone); err != nil {
			return err
		}
	}
	if !s.before.IsZero() && !s.after.Before(s.before) {
		return errors.New("valid-after is not before valid-before")
	}
	return nil
}

func (s *allowedSigner) set(name, value string, zone *time.Location) (err error) {
	switch name {
	case "namespaces":
		s.git = inPatterns(value, gitNamespace)
	case "valid-after":
		s.after, err = signerTime(value, zone)
	case "valid-before":
		s.before, err = signerTime(value, zone)
	default:
		err = errors.New("unknown option: there are namespaces, valid-after, valid-before")
	}
	return err
}

func unquote(s string) (string, error) {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return "", errors.New("the value of an option is not in quotes")
	}
	return strings.ReplaceAll(s[1:len(s)-1], `\"`, `"`), nil
}

// signerTime reads YYYYMMDD or YYYYMMDDHHMM[SS], with Z in UTC.
func signerTime(s string, zone *time.Location) (time.Time, error) {
	digits, utc := strings.CutSuffix(strings.ToUpper(s), "Z")
	if utc {
		zone = time.UTC
	}
	for _, layout := range []string{"20060102", "200601021504", "20060102150405"} {
		if len(digits) != len(layout) {
			continue
		}
		if t, err := time.ParseInLocation(layout, digits, zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New("a time is not of the form YYYYMMDD or YYYYMMDDHHMM[SS], with Z for UTC")
}

// inPatterns is match_pattern_list of ssh_config(5): one that is denied beats
// all that are not.
func inPatterns(patterns, name string) bool {
	found := false
	for p := range strings.SplitSeq(patterns, ",") {
		denied := strings.HasPrefix(p, "!")
		if !matchPattern(strings.TrimPrefix(p, "!"), name) {
			continue
		}
		if denied {
			return false
		}
		found = true
	}
	return found
}

// matchPattern knows * and ?.
func matchPattern(pattern, name string) bool {
	switch {
	case pattern == "":
		return name == ""
	case pattern[0] == '*':
		rest := strings.TrimLeft(pattern, "*")
		for i := range len(name) + 1 {
			if matchPattern(rest, name[i:]) {
				return true
			}
		}
		return false
	}
	return name != "" && (pattern[0] == '?' || pattern[0] == name[0]) && matchPattern(pattern[1:], name[1:])
}
