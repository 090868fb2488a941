package stage

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestNamesGoThereAndBack(t *testing.T) {
	t.Parallel()
	n := &names{suffix: "x1y"}
	n.add(ShopProd, AcmeProject, ShopProd)
	text := "clusters: [" + ShopProd + "]  # of " + AcmeProject + ", not " + Billing
	own := n.own(text)
	if want := "clusters: [qvjdddtx1y]  # of h8s7d6fx1y, not " + Billing; own != want {
		t.Errorf("it became %q, not %q", own, want)
	}
	if back := n.example(own); back != text {
		t.Errorf("and back it is %q", back)
	}
	if again := n.own(own); again != own {
		t.Errorf("twice it is %q", again)
	}
}

func TestNamesStayWithoutASuffix(t *testing.T) {
	t.Parallel()
	n := &names{}
	n.add(ShopProd)
	if got := n.own(ShopProd); got != ShopProd {
		t.Errorf("it became %q", got)
	}
}

func TestAwaitTellsWhatWasWrong(t *testing.T) {
	t.Parallel()
	looks, closed := 0, errors.New("the gate is closed")
	err := Await(t.Context(), "the gate", 300*time.Millisecond, func(context.Context) error { looks++; return closed })
	if !errors.Is(err, ErrNever) || !errors.Is(err, closed) || !strings.Contains(err.Error(), "the gate: ") || looks < 2 {
		t.Errorf("after %d looks: %v", looks, err)
	}
	err = Await(t.Context(), "the third look", time.Minute, func(context.Context) error {
		if looks++; looks < 3 {
			return closed
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestSaysHoldsStateAndWords(t *testing.T) {
	t.Parallel()
	const note = "failure portcullis/eu-west: a.yaml:1:1: host-bits\nshop-prod: Held\n"
	for _, c := range []struct {
		state string
		words []string
		fine  bool
	}{
		{Failure, nil, true},
		{Failure, []string{"host-bits", "Held"}, true},
		{Failure, []string{"host-bits", "Synced"}, false},
		{Success, nil, false},
		{"fail", nil, false},
	} {
		if err := Says(note, c.state, c.words...); (err == nil) != c.fine {
			t.Errorf("%s %q: %v", c.state, c.words, err)
		}
	}
}

func TestLeavesOfManagedFields(t *testing.T) {
	t.Parallel()
	fields := map[string]any{
		"f:metadata": map[string]any{"f:labels": map[string]any{".": map[string]any{}, "f:a": map[string]any{}}},
		"f:spec":     map[string]any{"f:pause": map[string]any{}},
	}
	got := leavesOf(fields, "")
	slices.Sort(got)
	if want := []string{"f:metadata.f:labels..", "f:metadata.f:labels.f:a", "f:spec.f:pause"}; !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
}

func newBare(t *testing.T) (bare string) {
	t.Helper()
	bare = t.TempDir()
	if _, err := git(t.Context(), bare, "init", "--quiet", "--bare", "--initial-branch=main"); err != nil {
		t.Fatal(err)
	}
	return bare
}

func TestPushWritesLinksAndRemoves(t *testing.T) {
	t.Parallel()
	n := &names{suffix: "x1y"}
	n.add(ShopProd)
	bare := newBare(t)
	r, err := newRepository(t.Context(), filepath.Join(t.TempDir(), "work"), bare, Tenants, n)
	if err != nil {
		t.Fatal(err)
	}
	first, err := r.Push(t.Context(), Commit{Message: "a", Write: map[string]string{"acme/a.yaml": "x: 1\ny: é " + ShopProd + "\n", "acme/b.yaml": "b"}})
	if err != nil {
		t.Fatal(err)
	}
	if place, err := r.Place("acme/a.yaml", ShopProd); err != nil || place != "tenants/acme/a.yaml:2:6" {
		t.Errorf("the place is %q (%v)", place, err)
	}
	second, err := r.Push(t.Context(), Commit{Message: "b", Link: map[string]string{"acme/a.yaml": "b.yaml"}, Remove: []string{"acme/b.yaml"}})
	if err != nil {
		t.Fatal(err)
	}
	for commit, want := range map[string]string{first: "100644 a.yaml|100644 b.yaml", second: "120000 a.yaml"} {
		tree, err := git(t.Context(), bare, "ls-tree", "--format=%(objectmode) %(path)", commit+":tenants/acme")
		if got := strings.ReplaceAll(tree, "\n", "|"); err != nil || got != want {
			t.Errorf("the tree is %q, not %q (%v)", got, want, err)
		}
	}
	if content, err := git(t.Context(), bare, "show", first+":tenants/acme/a.yaml"); err != nil || !strings.Contains(content, "qvjdddtx1y") {
		t.Errorf("the stage's own name is not in %q (%v)", content, err)
	}
	if err := r.Rewind(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if head, err := git(t.Context(), bare, "rev-parse", "main"); err != nil || head != first {
		t.Errorf("after the rewind main is %s (%v)", head, err)
	}
}

func TestGateShutsAndOpensOnItsPort(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "at "+r.URL.Path) //nolint:errcheck // the test sees it
	}))
	defer server.Close()
	gate, err := NewGate(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	url := gate.URL
	ask := func() (string, error) {
		response, err := http.Get(url + "/a?service=git-upload-pack")
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return string(body), err
	}
	if got, err := ask(); err != nil || got != "at /a" {
		t.Errorf("open it answers %q (%v)", got, err)
	}
	for range 2 { // a second time is fine
		if err := gate.Shut(); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := ask(); err == nil {
		t.Errorf("shut it answers %q", got)
	}
	if err := gate.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := ask(); err != nil || got != "at /a" || gate.URL != url {
		t.Errorf("open again it answers %q at %s (%v)", got, gate.URL, err)
	}
	if requests := gate.Requests(); len(requests) != 2 || requests[0].Service != "git-upload-pack" {
		t.Errorf("it noted %+v", requests)
	}
	if err := gate.Shut(); err != nil {
		t.Error(err)
	}
}

func TestPipeIsCutAndMended(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	pipe, err := NewPipe(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ask := func() error {
		response, err := http.Get("http://" + pipe.Address)
		if err == nil {
			response.Body.Close()
		}
		return err
	}
	if err := ask(); err != nil {
		t.Errorf("whole: %v", err)
	}
	for range 2 { // a second time is fine
		if err := pipe.Cut(); err != nil {
			t.Fatal(err)
		}
	}
	if ask() == nil {
		t.Error("it answers while it is cut")
	}
	if err := pipe.Mend(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := ask(); err != nil {
		t.Errorf("mended: %v", err)
	}
	if err := pipe.Cut(); err != nil {
		t.Error(err)
	}
}

// script is a program in the command's place. The shell reads it: a program
// that was just written may be busy.
func script(t *testing.T, text string) *Process {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return &Process{Binary: "/bin/sh", Args: []string{path, "run"}}
}

func TestProcessStopsByTheExitCode(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		fine bool
	}{
		"0": {"trap 'exit 0' TERM; echo up $1 $2; while :; do read x < /dev/null; done", true},
		"3": {"trap 'exit 3' TERM; echo up $1 $2; while :; do read x < /dev/null; done", false},
	} {
		p := script(t, c.text)
		if err := p.Start("--more"); err != nil {
			t.Fatal(err)
		}
		up := func(context.Context) error {
			if !strings.Contains(p.Log(), "up run --more") {
				return errors.New(p.Log())
			}
			return nil
		}
		if err := Await(t.Context(), "the program", time.Minute, up); err != nil {
			t.Fatal(err)
		}
		if err := p.Stop(t.Context()); (err == nil) != c.fine {
			t.Errorf("code %s: %v", name, err)
		}
		if p.Running() == nil {
			t.Errorf("code %s: it still runs", name)
		}
	}
}

func TestProcessThatEndsByItselfIsNoticed(t *testing.T) {
	t.Parallel()
	p := script(t, "echo last words; exit 7")
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	gone := func(context.Context) error {
		if err := p.Running(); err == nil || !strings.Contains(err.Error(), "last words") {
			return errors.Join(errors.New("not noticed"), err)
		}
		return nil
	}
	if err := Await(t.Context(), "its end", time.Minute, gone); err != nil {
		t.Error(err)
	}
	if err := p.Stop(t.Context()); err == nil {
		t.Error("its end is taken for a stop")
	}
}
