package source_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/portcullis-gitops/portcullis/source"
)

// logins is a login whose password tests change.
type logins struct {
	password string
	err      error
	asked    int
	refused  []string
}

func (l *logins) Login(context.Context) (user, password string, err error) {
	l.asked++
	return userOK, l.password, l.err
}

func (l *logins) Refused(password string) { l.refused = append(l.refused, password) }

// A login hands out what is good for the conversation that begins: the next
// one may take another. It is told what was not taken, and only that.
func TestLoginIsAskedForEachConversation(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.change("tenants/acme/a.yaml", "one")
	host, l, errNoKey := serve(t, u, false), &logins{password: canary}, errors.New("the App has no key")
	opts := source.Options{URL: host.url(), Login: l}
	r := open(t, opts)
	poll := func(want error, words string) {
		t.Helper()
		_, err := r.Poll(t.Context())
		if want != nil {
			wantError(t, err, want, words)
		} else if err != nil {
			t.Fatal(err)
		}
	}
	poll(nil, "")
	l.password = "expired"
	poll(source.ErrAuth, "")
	if len(l.refused) != 1 || l.refused[0] != "expired" {
		t.Errorf("told to be refused: %q", l.refused)
	}
	l.err = errNoKey
	poll(errNoKey, "the App has no key")
	l.password, l.err = canary, nil
	poll(nil, "")
	host.breakWith(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
		w.WriteHeader(http.StatusBadGateway)
		return true
	})
	poll(source.ErrUnavailable, "")
	if l.asked < 5 || len(l.refused) != 1 {
		t.Errorf("asked %d times, told of %q", l.asked, l.refused)
	}
	opts.TokenFile = secret(t, canary)
	_, err := source.NewRemote(opts)
	wantError(t, err, nil, "exclude each other")
}
