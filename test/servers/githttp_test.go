package servers_test

import (
	"bytes"
	"crypto/rand"
	"net/http"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/test/servers"
)

func TestGitHTTPTakesAPushAndGivesItBack(t *testing.T) {
	t.Parallel()
	random := make([]byte, 3<<20) // does not compress: git sends it in chunks
	if _, err := rand.Read(random); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"small": []byte("x"), "larger than git's post buffer": random} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := servers.GitHTTPFor(t, t.TempDir())
			if err := server.Init(t.Context(), "a/b.git"); err != nil {
				t.Fatal(err)
			}
			dir, sha := commit(t, content)
			git(t, dir, "push", "--quiet", server.CloneURL("a/b.git"), "main")
			if got := remoteHead(t, server.CloneURL("a/b.git")); got != sha {
				t.Errorf("main is %s after the push of %s", got, sha)
			}
			clone := t.TempDir()
			git(t, clone, "clone", "--quiet", server.CloneURL("a/b.git"), "c")
			if got := git(t, clone+"/c", "rev-parse", "HEAD"); got != sha {
				t.Errorf("the clone has %s, not %s", got, sha)
			}
		})
	}
}

func TestGitHTTPRefusesOthers(t *testing.T) {
	t.Parallel()
	server := servers.GitHTTPFor(t, t.TempDir())
	if err := server.Init(t.Context(), "a.git"); err != nil {
		t.Fatal(err)
	}
	for name, url := range map[string]string{
		"nobody":         server.URL + "/a.git",
		"wrong password": strings.Replace(server.CloneURL("a.git"), "password", "guess", 1),
		"wrong user":     strings.Replace(server.CloneURL("a.git"), servers.GitUser+":", "root:", 1),
	} {
		if out, err := tryGit(t, t.TempDir(), "ls-remote", url); err == nil {
			t.Errorf("%s was let in: %s", name, out)
		}
	}
}

func TestMeterCountsWhatGitAsks(t *testing.T) {
	t.Parallel()
	server := servers.GitHTTPFor(t, t.TempDir())
	if err := server.Init(t.Context(), "a.git"); err != nil {
		t.Fatal(err)
	}
	listings := func(r servers.Request) bool { return r.Service == "git-upload-pack" && r.Path == "/a.git/info/refs" }

	git(t, t.TempDir(), "ls-remote", server.CloneURL("a.git"))
	// git asks without the password first, always.
	if got := server.Meter.Count(listings); got != 2 {
		t.Errorf("one ls-remote was counted as %d: %+v", got, server.Meter.Requests())
	}
	server.Meter.Reset()
	if got := server.Meter.Count(nil); got != 0 {
		t.Errorf("%d requests after the reset", got)
	}
}

func TestMeterAnswersInTheServersPlace(t *testing.T) {
	t.Parallel()
	server := servers.GitHTTPFor(t, t.TempDir())
	if err := server.Init(t.Context(), "a.git"); err != nil {
		t.Fatal(err)
	}
	server.Meter.Away()
	if out, err := tryGit(t, t.TempDir(), "ls-remote", server.CloneURL("a.git")); err == nil || !strings.Contains(out, "503") {
		t.Errorf("a server that is away answered git with %v: %s", err, out)
	}
	if server.Meter.Count(nil) == 0 {
		t.Error("what came in meanwhile was not counted")
	}
	server.Meter.Answer(nil)
	git(t, t.TempDir(), "ls-remote", server.CloneURL("a.git"))
}

func TestStoppedGitHTTPAnswersNobody(t *testing.T) {
	t.Parallel()
	server, err := servers.StartGitHTTP(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // a second time is fine
		if err := server.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	response, err := http.Post(server.URL, "text/plain", bytes.NewReader(nil))
	if err == nil {
		response.Body.Close()
		t.Errorf("it answered %s", response.Status)
	}
}
