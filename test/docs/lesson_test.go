package docs

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/test/servers"
)

// patience is for a machine that is busy with other tests, and builds.
const patience = 10 * time.Minute

// TestTutorial does the tutorial: each command as it stands, on real servers.
func TestTutorial(t *testing.T) {
	servers.Need(t, "etcd", "kube-apiserver")
	runs(t, onePage(t, "docs/tutorial.md"))
}

// TestReadme runs what the front page shows.
func TestReadme(t *testing.T) {
	runs(t, onePage(t, "README.md"))
}

// runs runs a page in a copy of the project, in which nothing is built.
func runs(t *testing.T, page Page) {
	for _, program := range []string{"bash", "git", "make"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("a reader needs %s", program)
		}
	}
	lesson := &Lesson{Dir: copied(t), Patience: patience, Env: append(os.Environ(),
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Learner", "GIT_AUTHOR_EMAIL=learner@example.com",
		"GIT_COMMITTER_NAME=Learner", "GIT_COMMITTER_EMAIL=learner@example.com",
		"GOFLAGS=-buildvcs=false", "MAKEFLAGS=", "KUBECONFIG=")}
	defer func() {
		if err := lesson.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := lesson.Run(t.Context(), page); err != nil {
		t.Errorf("%v\n%s", err, lesson.Printed())
	}
}

// copied is a copy of the project's files, those that are not committed yet
// among them.
func copied(t *testing.T) string {
	t.Helper()
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	list, err := cmd.Output()
	if err != nil {
		t.Fatalf("list the project's files: %v", err)
	}
	to := t.TempDir()
	for _, name := range strings.Split(string(bytes.TrimSuffix(list, []byte{0})), "\x00") {
		if err := copyFile(filepath.Join(root, name), filepath.Join(to, name)); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// copyFile leaves out what was listed and is gone.
func copyFile(from, to string) error {
	info, err := os.Stat(from)
	if err != nil || info.Mode()&fs.ModeType != 0 {
		return nil
	}
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, content, info.Mode().Perm())
}
