package notes_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing/transport"

	"github.com/portcullis-gitops/portcullis/source/forge"
)

// lossy pushes, and loses the answer of the first push.
type lossy struct {
	remote
	lost bool
}

func (l *lossy) Push(ctx context.Context, repo *git.Repository, specs ...config.RefSpec) error {
	if err := l.remote.Push(ctx, repo, specs...); err != nil || l.lost {
		return err
	}
	l.lost = true
	return errors.New("connection reset")
}

// locked lets nobody in, or lets everybody read and nobody write.
type locked struct {
	remote
	read bool
}

func (l *locked) Fetch(ctx context.Context, repo *git.Repository, specs ...config.RefSpec) error {
	err := l.remote.Fetch(ctx, repo, specs...)
	if !l.read {
		return fmt.Errorf("fetch: %w: bad token", transport.ErrAuthenticationRequired)
	}
	return err
}

func (l *locked) Push(context.Context, *git.Repository, ...config.RefSpec) error {
	l.pushes++
	return fmt.Errorf("push: %w: Forbidden", transport.ErrAuthorizationFailed)
}

// Credentials that do not do are tried slowly and once a post.
func TestCredentialsAreTriedSlowly(t *testing.T) {
	t.Parallel()
	for read, requests := range map[bool]string{true: "1 fetches, 1 pushes", false: "1 fetches, 0 pushes"} {
		dir, commits := bare(t, 1)
		r := &locked{remote: remote{dir: dir}, read: read}
		err := open(t, r, nil).Post(t.Context(), []forge.Check{check(commits[0], forge.Success, "applied")})[0]
		if _, slow := errors.AsType[forge.RetryAfterError](err); !slow {
			t.Errorf("may read: %v: error %v", read, err)
		}
		equal(t, "requests", r.counts(), requests)
	}
}
