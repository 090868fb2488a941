package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// planeShop has stand-ins for the modules of the control plane: what decides
// between sources is not what is built.
func planeShop(t *testing.T) (*shop, *log) {
	t.Helper()
	s, told := newShop(t, "hello")
	for _, tool := range controlPlaneTools() {
		write(t, filepath.Join(s.modules, tool.name, "go.mod"),
			"module example.com/pinned\n\ngo 1.26.0\n\nrequire "+tool.module+" "+planeVersion(tool.name)+"\n")
	}
	return s, told
}

func planeVersion(name string) string {
	if name == "etcd" {
		return "v3.4.5"
	}
	return "v1.2.3"
}

// programs puts what looks like a control plane into a folder.
func programs(t *testing.T, folder string, names ...string) string {
	t.Helper()
	for _, name := range names {
		write(t, filepath.Join(folder, name), "")
		if err := os.Chmod(filepath.Join(folder, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// keep puts the programs of the control plane where built ones are kept.
func keep(t *testing.T, s *shop) {
	t.Helper()
	recipes, err := s.recipes(t.Context(), controlPlaneTools())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range recipes {
		programs(t, filepath.Dir(s.kept(r)), r.name)
	}
}

func neverFetch(t *testing.T) fetch {
	return func(context.Context, string) (string, error) {
		t.Error("a download was tried")
		return "", errors.New("unwanted")
	}
}

func TestUsersAssetsWin(t *testing.T) {
	t.Parallel()
	s, told := planeShop(t)
	keep(t, s)
	own := programs(t, t.TempDir(), "etcd", "kube-apiserver")
	got, err := s.controlPlane(t.Context(), own, neverFetch(t))
	if err != nil || got != own {
		t.Errorf("got %s (%v)", got, err)
	}
	if said := told.take(); !strings.Contains(said, "KUBEBUILDER_ASSETS") {
		t.Errorf("said %q", said)
	}
}

func TestUsersAssetsAreNotFallenBackFrom(t *testing.T) {
	t.Parallel()
	s, _ := planeShop(t)
	keep(t, s)
	half := programs(t, t.TempDir(), "etcd")
	_, err := s.controlPlane(t.Context(), half, neverFetch(t))
	if err == nil || !strings.Contains(err.Error(), "has no kube-apiserver") || !strings.Contains(err.Error(), "hint: ") {
		t.Errorf("the error is %v", err)
	}
}

func TestWhatIsBuiltComesBeforeADownload(t *testing.T) {
	t.Parallel()
	s, told := planeShop(t)
	keep(t, s)
	got, err := s.controlPlane(t.Context(), "", neverFetch(t))
	if err != nil || got != s.bin {
		t.Errorf("got %s (%v)", got, err)
	}
	if missing := missingIn(got); len(missing) > 0 {
		t.Errorf("the folder has no %v", missing)
	}
	if said := told.take(); !strings.Contains(said, "built already") {
		t.Errorf("said %q", said)
	}
}

func TestDownloadComesBeforeABuild(t *testing.T) {
	t.Parallel()
	s, told := planeShop(t)
	downloaded := programs(t, t.TempDir(), "etcd", "kube-apiserver")
	var asked string
	got, err := s.controlPlane(t.Context(), "", func(_ context.Context, version string) (string, error) {
		asked = version
		return downloaded, nil
	})
	if err != nil || got != downloaded || asked != "1.2.3" {
		t.Errorf("got %s for version %q (%v)", got, asked, err)
	}
	if said := told.take(); strings.Contains(said, "building") {
		t.Errorf("said %q", said)
	}
}

// TestBuildComesLast sees that the build was begun: the modules it names are
// not there to be built.
func TestBuildComesLast(t *testing.T) {
	t.Parallel()
	for name, download := range map[string]fetch{
		"no answer": func(context.Context, string) (string, error) {
			return "", errors.New("setup-envtest: exit status 2: details\nno such host")
		},
		"half an answer": func(context.Context, string) (string, error) { return programs(t, t.TempDir(), "etcd"), nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, told := planeShop(t)
			_, err := s.controlPlane(t.Context(), "", download)
			said := told.take()
			if err == nil || !strings.Contains(err.Error(), "build etcd v3.4.5") {
				t.Errorf("the error is %v", err)
			}
			if !strings.Contains(said, "control plane: building it from source; usually ") {
				t.Errorf("said %q", said)
			}
			if strings.Contains(said, "details") {
				t.Errorf("the failed download is told at length: %q", said)
			}
		})
	}
}

func TestInterruptedDownloadBuildsNothing(t *testing.T) {
	t.Parallel()
	s, told := planeShop(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := s.controlPlane(ctx, "", func(ctx context.Context, _ string) (string, error) {
		cancel()
		return "", ctx.Err()
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	if said := told.take(); strings.Contains(said, "building") {
		t.Errorf("said %q", said)
	}
}
