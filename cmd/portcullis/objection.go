package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/source"
)

// newVerifier is for the signatures that a source wants; nil where it wants
// none.
func newVerifier(s policy.Source) (*source.Verifier, error) {
	if !s.Verify.Wanted() {
		return nil, nil
	}
	v, err := source.NewVerifier(s.Verify.PGPKeyRingFile, s.Verify.SSHAllowedSignersFile)
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", s.Name, err)
	}
	return v, nil
}

// readableKeys refuses, before anything is contacted, files of keys by which
// no commit could ever be verified.
func readableKeys(c *policy.Config) error {
	var errs []error
	for _, s := range c.Sources {
		_, err := newVerifier(s)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// objection says why a head must not be followed without approval; "" where
// nothing is against it. A head that is held is asked about again at each
// poll: the files of keys may be others by now.
func (f *follower) objection(ctx context.Context, head string, now time.Time) (string, error) {
	forward, err := f.forward(ctx, head)
	if err != nil {
		return "", err
	}
	var reasons []string
	if !forward {
		reasons = append(reasons, fmt.Sprintf("rewinds %s to %s%s", short(f.known().Accepted), short(head), f.moved()))
	}
	unverified, err := f.unverified(ctx, head, now)
	if unverified != "" {
		reasons = append(reasons, unverified)
	}
	return strings.Join(reasons, "; "), err // an approval is of all of them
}

// moved says what else the Config follows than when the accepted commit came
// in: a branch that does not contain it is no way forward.
func (f *follower) moved() string {
	was := f.known()
	switch url := f.repo.Remote().URL(); {
	case was.URL != "" && was.URL != url:
		return fmt.Sprintf(": that is of %s, which does not contain what was accepted of %s", url, was.URL)
	case was.Branch != "" && was.Branch != f.conf.Branch:
		return fmt.Sprintf(": that is of branch %s, which does not contain what was accepted of %s", f.conf.Branch, was.Branch)
	}
	return ""
}

// unverified says why a head does not count as signed; "" where it does, or
// need not.
func (f *follower) unverified(ctx context.Context, head string, now time.Time) (string, error) {
	if f.verifier == nil {
		return "", nil
	}
	err := f.repo.Verify(ctx, head, f.verifier, now)
	var why *source.UnverifiedError
	if !errors.As(err, &why) {
		return "", err
	}
	if why.Err != nil {
		f.log.Error(why.Err, "Cannot verify a commit", "commit", head, "reason", why.Reason)
	}
	return why.Reason, nil
}

// heldFor is why the head is held.
func (f *follower) heldFor() string {
	if held := f.known().Held; held != nil {
		return held.Reason
	}
	return ""
}

// passed are the commits that were held and that a head goes beyond, itself
// left out: it answers for what they changed.
func (f *follower) passed(ctx context.Context, head string) ([]string, error) {
	var out []string
	for _, record := range f.records() {
		if record.Held == "" || record.SHA == head {
			continue
		}
		beyond, err := f.repo.IsAncestor(ctx, record.SHA, head)
		if err != nil {
			return nil, err
		}
		if beyond {
			out = append(out, record.SHA)
		}
	}
	return out, nil
}

// supersede tells the commits that were passed which one speaks for them now.
// One that was followed before it was held has its own verdict back.
func supersede(s *apply.SourceState, passed []string, head string) {
	for i := range s.Commits {
		r := &s.Commits[i]
		if !slices.Contains(passed, r.SHA) {
			continue
		}
		r.Held, r.Delivered, r.State = "", "", ""
		if r.Base == "" && len(r.Clusters) == 0 {
			r.Superseded = head
		}
	}
}
