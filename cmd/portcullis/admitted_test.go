package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// A seed that refuses what ran well is told of at once, with what to do, and
// again from time to time; one that is away is not.
func TestARefusingSeedIsToldOfNowAndThen(t *testing.T) {
	t.Parallel()
	var told []string
	now := time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC)
	r := &refusals{log: funcr.New(func(_, args string) { told = append(told, args) }, funcr.Options{}), now: func() time.Time { return now }}
	expired := apierrors.NewUnauthorized("Unauthorized")
	taken := apierrors.NewForbidden(schema.GroupResource{Group: "kubermatic.k8c.io", Resource: "clusters"}, "", errors.New("no"))
	for i, c := range []struct {
		err   error
		after time.Duration
		want  int
	}{
		{errors.New("connection refused"), 0, 0},
		{expired, 0, 1},
		{taken, time.Second, 1}, // told a second ago
		{taken, retell, 2},
		{expired, -time.Hour, 3}, // the clock was set back
		{apierrors.NewTooManyRequests("later", 1), 2 * retell, 3},
	} {
		now = now.Add(c.after)
		if r.missed(context.Background(), nil, c.err); len(told) != c.want {
			t.Errorf("step %d: told %d times, want %d: %q", i, len(told), c.want, told)
		}
	}
	if !strings.Contains(told[0], "log in anew") || !strings.Contains(told[1], "its own account") {
		t.Errorf("without a way out: %q", told)
	}
}
