package kkp

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// AssetsVariable names the environment variable that holds a folder with etcd
// and kube-apiserver; controller-runtime's envtest reads it, too.
const AssetsVariable = "KUBEBUILDER_ASSETS"

// ErrNoAssets says that there is no control plane to test on.
var ErrNoAssets = errors.New("no etcd and kube-apiserver: set " + AssetsVariable + " or run `make tools`")

// Assets finds the folder with etcd and kube-apiserver: KUBEBUILDER_ASSETS,
// else .tools/bin at the root of the module around the working directory.
// Where neither has them it fails with ErrNoAssets.
func Assets() (string, error) {
	dir := os.Getenv(AssetsVariable)
	if dir == "" {
		root, err := moduleRoot()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(root, ".tools", "bin")
	}
	for _, name := range []string{"etcd", "kube-apiserver"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return "", fmt.Errorf("%w (%w)", ErrNoAssets, err)
		}
	}
	return dir, nil
}

func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the module's root: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", ErrNoAssets
		}
		dir = parent
	}
}
