package servers

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrMissing is wrapped by errors about a program that is not there.
var ErrMissing = errors.New("not built")

// TB is the part of testing.TB that is used here; the demo has no use for the
// rest of package testing.
type TB interface {
	Helper()
	Cleanup(func())
	Skip(args ...any)
	Fatal(args ...any)
	Error(args ...any)
}

// Need skips the test where one of the programs is missing, or where servers
// are not wanted; see the package comment for PORTCULLIS_TEST_SERVERS.
func Need(tb TB, programs ...string) {
	tb.Helper()
	mode := os.Getenv("PORTCULLIS_TEST_SERVERS")
	if mode == "none" {
		tb.Skip("needs real servers, and PORTCULLIS_TEST_SERVERS=none")
	}
	for _, name := range programs {
		_, err := Find(name)
		if err == nil {
			continue
		}
		if mode == "required" {
			tb.Fatal(err)
		}
		tb.Skip(err)
	}
}

// Find is the path of a server's program: etcd and kube-apiserver are looked
// for in the folder KUBEBUILDER_ASSETS alone if it is set, else, like all
// others, in .tools/bin of the work tree around the working directory.
func Find(program string) (string, error) {
	folder, err := folderOf(program)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", program, err)
	}
	path := filepath.Join(folder, program)
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return "", fmt.Errorf("find %s in %s: %w: run `make tools`", program, folder, ErrMissing)
	}
	return path, nil
}

func folderOf(program string) (string, error) {
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets != "" && (program == "etcd" || program == "kube-apiserver") {
		return filepath.Abs(assets)
	}
	return toolsFolder()
}

// toolsFolder is .tools/bin of the nearest folder at or above the working
// directory that has it. A test's working directory is its package.
func toolsFolder() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for at := dir; ; at = filepath.Dir(at) {
		folder := filepath.Join(at, ".tools", "bin")
		if info, err := os.Stat(folder); err == nil && info.IsDir() {
			return folder, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("no .tools/bin at or above %s: %w: run `make tools`", dir, ErrMissing)
		}
	}
}
