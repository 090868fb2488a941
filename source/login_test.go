package source_test

import (
	"context"
	"errors"
	"testing"

	"github.com/portcullis-gitops/portcullis/source"
)

// A login hands out what is good for the conversation that begins: the next
// one may take another.
func TestLoginIsAskedForEachConversation(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	errNoToken := errors.New("the App has no key")
	password, failure, asked := canary, error(nil), 0
	opts := source.Options{URL: serve(t, u, false).url(), Login: func(context.Context) (string, string, error) {
		asked++
		return userOK, password, failure
	}}
	r := open(t, opts)
	if _, err := r.Poll(t.Context()); err != nil {
		t.Fatalf("poll at %s: %v", first, err)
	}
	password = "expired-" + canary
	_, err := r.Poll(t.Context())
	wantError(t, err, source.ErrAuth, "")
	failure = errNoToken
	_, err = r.Poll(t.Context())
	wantError(t, err, errNoToken, "the App has no key")
	password, failure = canary, nil
	if _, err := r.Poll(t.Context()); err != nil || asked < 4 {
		t.Errorf("with a good password again, after %d questions: %v", asked, err)
	}
	opts.TokenFile = secret(t, canary)
	_, err = source.NewRemote(opts)
	wantError(t, err, nil, "exclude each other")
}
