package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
)

// What of Git's protocol of version 2 a glance needs, of which go-git 5 has
// nothing (gitprotocol-v2(5)).
const (
	secondVersion = "version=2" // of the header Git-Protocol
	delimiter     = "0001"
)

// errUnable says that a host will not list some refs alone, now or later.
var errUnable = errors.New("the host lists all refs or none")

// knowsSome asks whether the host speaks version 2, and in it lists refs. A host
// that does not answers with all refs, of which no more than the first is read.
func (s *httpSession) knowsSome() error {
	body, err := s.ask(http.MethodGet, "/info/refs?service="+uploadPack, nil)
	if err != nil {
		return err
	}
	defer body.Close()
	second := false
	lines := pktline.NewScanner(body)
	for lines.Scan() {
		line := strings.TrimSuffix(string(lines.Bytes()), "\n")
		word, _, _ := strings.Cut(line, "=")
		switch {
		case line == "" || strings.HasPrefix(line, "# service="):
		case line == "version 2":
			second = true
		case !second:
			return errUnable
		case word == "ls-refs":
			return nil
		}
	}
	if lines.Err() != nil {
		return unread(lines.Err())
	}
	return errUnable
}

// unread tells an answer that broke off, which may pass, from another one than
// was asked for.
func unread(err error) error {
	var refused *pktline.ErrorLine
	if errors.As(err, &refused) || errors.Is(err, pktline.ErrInvalidPktLen) {
		return fmt.Errorf("%w: %w", errUnable, err)
	}
	return fmt.Errorf("read a list of refs: %w", err)
}

// some are the refs that begin so, by name, and maybe others.
func (s *httpSession) some(prefixes []string) (map[string]plumbing.Hash, error) {
	request, err := lsRefs(prefixes)
	if err != nil {
		return nil, err
	}
	body, err := s.ask(http.MethodPost, "/"+uploadPack, request)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	refs, err := readRefs(body)
	return refs, s.answers.explain(err)
}

// lsRefs is the request's body. It names no capability: none is needed, and
// hosts refuse those that they did not offer.
func lsRefs(prefixes []string) (*bytes.Buffer, error) {
	out := &bytes.Buffer{}
	e := pktline.NewEncoder(out)
	if err := e.EncodeString("command=ls-refs\n"); err != nil {
		return nil, err
	}
	out.WriteString(delimiter)
	for _, p := range prefixes {
		if err := e.Encodef("ref-prefix %s\n", p); err != nil {
			return nil, err
		}
	}
	return out, e.Flush()
}

// readRefs reads lines of a hash and a name up to the flush packet that ends
// them. An answer without it was cut off, or is none.
func readRefs(from io.Reader) (map[string]plumbing.Hash, error) {
	refs := map[string]plumbing.Hash{}
	lines := pktline.NewScanner(from)
	for lines.Scan() {
		line := strings.TrimSuffix(string(lines.Bytes()), "\n")
		if line == "" {
			return refs, nil
		}
		hash, name, _ := strings.Cut(line, " ")
		name, _, _ = strings.Cut(name, " ") // attributes, for which nobody asked
		if !plumbing.IsHash(hash) || name == "" {
			return nil, errUnable
		}
		refs[name] = plumbing.NewHash(hash)
	}
	if lines.Err() != nil {
		return nil, unread(lines.Err())
	}
	return nil, unread(io.ErrUnexpectedEOF)
}

// ask sends a request of version 2. It follows no redirect: where there is one,
// only a listing finds the way.
func (s *httpSession) ask(method, path string, content io.Reader) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(s.ctx, method, s.base+path, content)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Git-Protocol", secondVersion)
	request.Header.Set("User-Agent", capability.DefaultAgent())
	if content != nil {
		request.Header.Set("Content-Type", "application/x-"+uploadPack+"-request")
		request.Header.Set("Accept", "application/x-"+uploadPack+"-result")
	}
	if s.auth != nil {
		s.auth.SetAuth(request)
	}
	s.answers.through, s.answers.most, s.answers.what = asItIs, maxRefs, "a list of refs"
	client := http.Client{Transport: s.answers, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusOK {
		return response.Body, nil
	}
	response.Body.Close()
	return nil, refusal(response.StatusCode)
}

// refusal tells what may pass from what will not.
func refusal(status int) error {
	err := fmt.Errorf("the host answered %d", status)
	if status >= 500 || status == http.StatusTooManyRequests || status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusRequestTimeout {
		return err
	}
	return fmt.Errorf("%w: %w", errUnable, err)
}
