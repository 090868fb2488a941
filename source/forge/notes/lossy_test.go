package notes_test

import (
	"context"
	"errors"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
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
