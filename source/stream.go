package source

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/transport"
)

// stream speaks Git's protocol with a program, here or at the other end of an
// ssh connection, over its standard streams.
type stream struct {
	in    io.WriteCloser // the program's
	out   *ration        // the program's
	said  *said          // its standard error
	end   func()         // ends the program and waits for it
	asked bool           // past the listing
	adv   *packp.AdvRefs
}

func (s *stream) advertised(through func(io.Reader) io.Reader) (*packp.AdvRefs, error) {
	if s.adv != nil {
		return s.adv, nil
	}
	adv := packp.NewAdvRefs()
	s.out.grant(maxRefs, "a list of refs")
	err := adv.Decode(through(s.out))
	if errors.Is(err, packp.ErrEmptyAdvRefs) {
		err = nil
	}
	if err != nil {
		return nil, s.explain(err)
	}
	transport.FilterUnsupportedCapabilities(adv.Capabilities)
	s.adv = adv
	return adv, nil
}

// explain prefers the program's own words to "unexpected end of file". They
// are complete once the program has ended.
func (s *stream) explain(err error) error {
	s.end()
	if over := s.out.exceeded(); over != nil {
		return over
	}
	words := s.said.String()
	if words == "" {
		return err
	}
	for _, no := range []string{"not appear to be a git repository", "not found", "not exist", "could not be found"} {
		if strings.Contains(strings.ToLower(words), no) {
			return fmt.Errorf("%w: %s", ErrNoRepository, clean(words, nil))
		}
	}
	return fmt.Errorf("%s: %w", clean(words, nil), err)
}

func (s *stream) fetch(req *packp.UploadPackRequest) (io.ReadCloser, error) {
	s.asked = true
	if err := s.ask(req); err != nil {
		return nil, s.explain(err)
	}
	res := packp.NewUploadPackResponse(req)
	s.out.grant(maxHead, "what comes before a pack")
	if err := res.Decode(io.NopCloser(s.out)); err != nil {
		return nil, s.explain(err)
	}
	s.out.grant(maxAnswer, "a transfer")
	return res, nil
}

func (s *stream) ask(req *packp.UploadPackRequest) error {
	if err := req.Validate(); err != nil {
		return err
	}
	if err := req.UploadRequest.Encode(s.in); err != nil {
		return err
	}
	if err := req.UploadHaves.Encode(s.in, true); err != nil {
		return err
	}
	return pktline.NewEncoder(s.in).Encodef("done\n")
}

func (s *stream) push(req *packp.ReferenceUpdateRequest) (*packp.ReportStatus, error) {
	s.asked = true
	if err := req.Encode(s.in); err != nil {
		return nil, s.explain(err)
	}
	if err := s.in.Close(); err != nil {
		return nil, s.explain(err)
	}
	report := packp.NewReportStatus()
	s.out.grant(maxReport, "an answer to a push")
	if err := report.Decode(s.out); err != nil {
		return nil, s.explain(err)
	}
	return report, nil
}

// close takes leave politely where nothing was asked for: a server that is
// hung up on logs an error.
func (s *stream) close() {
	if !s.asked && s.adv != nil {
		_, _ = s.in.Write(pktline.FlushPkt)
	}
	s.end()
}

// said keeps the beginning of what a program writes to its standard error.
type said struct {
	mu   sync.Mutex
	text []byte
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	room := maxSaid - len(s.text)
	s.text = append(s.text, p[:min(room, len(p))]...)
	return len(p), nil
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.TrimSpace(string(s.text))
}
