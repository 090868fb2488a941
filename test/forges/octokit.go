package forges

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The package that holds GitHub's description of its API, and which file of it
// is meant. The sum is that of the registry (npm view @octokit/openapi
// dist.integrity).
const (
	octokitVersion = "23.0.2"
	octokitSum     = "pV8M7L9GY23AybNvTmo2nyjmpmnt6+2sRE/tqr0ZLQcPS4lnw7u5eZGNmwRNkBC3D7gZXbFx5AHzLUVRBXGDhg=="
	octokitFile    = "package/generated/api.github.com.json"
)

// ErrNoNPM says that the description is not there and cannot be fetched.
var ErrNoNPM = errors.New("GitHub's description of its API is not there, and npm, which fetches it, is not installed")

// Octokit is the path of GitHub's description. It is kept in the user's cache
// folder and fetched once a version, 28 MB, with npm:
//
//	<cache>/portcullis/octokit/<version>/api.github.com.json
//
// say is told before something is fetched.
func Octokit(ctx context.Context, say func(string)) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache folder: %w", err)
	}
	folder := filepath.Join(cache, "portcullis", "octokit", octokitVersion)
	kept := filepath.Join(folder, filepath.Base(octokitFile))
	if _, err := os.Stat(kept); err == nil {
		return kept, nil
	}
	if _, err := exec.LookPath("npm"); err != nil {
		return "", ErrNoNPM
	}
	say("fetching @octokit/openapi " + octokitVersion + " with npm; usually some seconds, once")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", fmt.Errorf("make room for @octokit/openapi: %w", err)
	}
	return kept, fetchOctokit(ctx, folder, kept)
}

// fetchOctokit works in a folder of its own and renames: a file that is there
// is whole, however many fetch it at once.
func fetchOctokit(ctx context.Context, folder, kept string) error {
	scratch, err := os.MkdirTemp(folder, "fetch-")
	if err != nil {
		return fmt.Errorf("make room for @octokit/openapi: %w", err)
	}
	defer os.RemoveAll(scratch)
	cmd := exec.CommandContext(ctx, "npm", "pack", "--silent", "@octokit/openapi@"+octokitVersion)
	cmd.Dir = scratch
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm pack @octokit/openapi: %w: %s", err, strings.TrimSpace(string(out)))
	}
	packed, err := filepath.Glob(filepath.Join(scratch, "*.tgz"))
	if err != nil || len(packed) != 1 {
		return fmt.Errorf("npm pack @octokit/openapi left %d files (%v)", len(packed), err)
	}
	fresh := filepath.Join(scratch, "description.json")
	if err := unpack(packed[0], fresh); err != nil {
		return fmt.Errorf("unpack @octokit/openapi %s: %w", octokitVersion, err)
	}
	return os.Rename(fresh, kept)
}

// unpack takes the one file out of a package whose sum is right.
func unpack(packed, to string) error {
	file, err := os.Open(packed)
	if err != nil {
		return err
	}
	defer file.Close()
	sum := sha512.New()
	if _, err := io.Copy(sum, file); err != nil {
		return err
	}
	if got := base64.StdEncoding.EncodeToString(sum.Sum(nil)); got != octokitSum {
		return fmt.Errorf("its sum is %s, not %s", got, octokitSum)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	plain, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	for archive := tar.NewReader(plain); ; {
		header, err := archive.Next()
		if err != nil {
			return fmt.Errorf("look for %s: %w", octokitFile, err)
		}
		if header.Name == octokitFile {
			return write(to, archive)
		}
	}
}

func write(to string, from io.Reader) error {
	file, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, from)
	return errors.Join(err, file.Close())
}
