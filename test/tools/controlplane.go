package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	// envtestModule downloads builds of a control plane.
	envtestModule = "sigs.k8s.io/controller-runtime/tools/setup-envtest@v0.25.1"
	// envtestPatience bounds the download: where it is not answered, the time
	// is better spent on the build.
	envtestPatience = 2 * time.Minute
)

// fetch gets a control plane of a Kubernetes version, like 1.37.2, from
// elsewhere, and says in which folder it is.
type fetch func(ctx context.Context, version string) (folder string, err error)

// controlPlane returns a folder with etcd and kube-apiserver, and says at once
// which it is and how long that takes. assets is the user's own choice, empty
// for none; it is never fallen back from.
func (s *shop) controlPlane(ctx context.Context, assets string, download fetch) (string, error) {
	if assets != "" {
		return s.usersOwn(assets)
	}
	recipes, err := s.recipes(ctx, controlPlaneTools())
	if err != nil {
		return "", err
	}
	if s.allKept(recipes) {
		s.say("control plane: built already")
		return s.bin, s.makeAll(ctx, controlPlaneTools())
	}
	if folder := s.tryDownload(ctx, versionOf(recipes, "kube-apiserver"), download); folder != "" {
		return folder, nil
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	s.say("control plane: building it from source; usually 6 to 11 minutes on two cores, once")
	return s.bin, s.makeAll(ctx, controlPlaneTools())
}

func (s *shop) usersOwn(assets string) (string, error) {
	folder, err := filepath.Abs(assets)
	if err != nil {
		return "", fmt.Errorf("resolve KUBEBUILDER_ASSETS: %w", err)
	}
	if missing := missingIn(folder); len(missing) > 0 {
		return "", fmt.Errorf("KUBEBUILDER_ASSETS is %s, which has no %s\nhint: unset it, and a control plane is found or built",
			folder, strings.Join(missing, " and no "))
	}
	s.say("control plane: KUBEBUILDER_ASSETS (%s)", folder)
	return folder, nil
}

// tryDownload is empty where the download fails, for whatever reason: the
// build comes next, and the reason is one line.
func (s *shop) tryDownload(ctx context.Context, version string, download fetch) string {
	s.say("control plane: asking setup-envtest for Kubernetes %s; usually half a minute, given up after two", version)
	ctx, cancel := context.WithTimeout(ctx, envtestPatience)
	defer cancel()
	folder, err := download(ctx, version)
	if err != nil {
		s.say("control plane: no download (%s)", lastLine(err.Error()))
		return ""
	}
	if missing := missingIn(folder); len(missing) > 0 {
		s.say("control plane: the download has no %s", strings.Join(missing, " and no "))
		return ""
	}
	s.say("control plane: downloaded by setup-envtest (%s)", folder)
	return folder
}

// setupEnvtest is the fetch that controller-runtime offers. It keeps what it
// got, in a folder of its own, and finds it there the next time. Patch
// versions do not matter, and it has not all of them.
func (s *shop) setupEnvtest(ctx context.Context, version string) (string, error) {
	minor := version[:strings.LastIndex(version, ".")+1] + "x"
	cmd := exec.CommandContext(ctx, "go", "run", envtestModule, "use", "-p", "path", minor)
	cmd.Env = append(os.Environ(), "GOWORK=off")
	// go run does not pass signals on: the whole group is ended.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", errors.Join(ctx.Err(), fmt.Errorf("setup-envtest: %w: %s", err, withoutExitStatus(stderr.String())))
	}
	return strings.TrimSpace(stdout.String()), nil
}

func (s *shop) recipes(ctx context.Context, tools []tool) ([]recipe, error) {
	var recipes []recipe
	for _, t := range tools {
		r, err := s.recipe(ctx, t)
		if err != nil {
			return nil, err
		}
		recipes = append(recipes, r)
	}
	return recipes, nil
}

func (s *shop) allKept(recipes []recipe) bool {
	for _, r := range recipes {
		if !isProgram(s.kept(r)) {
			return false
		}
	}
	return true
}

func versionOf(recipes []recipe, name string) string {
	for _, r := range recipes {
		if r.name == name {
			return strings.TrimPrefix(r.version, "v")
		}
	}
	return ""
}

func missingIn(folder string) (missing []string) {
	for _, t := range controlPlaneTools() {
		if !isProgram(filepath.Join(folder, t.name)) {
			missing = append(missing, t.name)
		}
	}
	return missing
}

// withoutExitStatus drops the line that go run adds about its child.
func withoutExitStatus(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if last := lines[len(lines)-1]; strings.HasPrefix(last, "exit status") {
		lines = lines[:len(lines)-1]
	}
	return strings.Join(lines, "\n")
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
