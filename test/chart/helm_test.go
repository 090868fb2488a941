package chart_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/portcullis-gitops/portcullis/test/servers"
)

const (
	root  = "../.."
	chart = root + "/deploy/chart"
	// values are those that deploy/manifests is rendered with: nearly all is on.
	values = chart + "/ci/manifests.yaml"
	// kubernetes is the version to render for: helm, built from its module, knows
	// none by itself.
	kubernetes = "--kube-version=1.37.0"
)

// helm runs the program; the error holds what it said.
func helm(t *testing.T, args ...string) (string, error) {
	t.Helper()
	servers.Need(t, "helm")
	program, err := servers.Find("helm")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	home := t.TempDir()
	cmd.Env = append(cmd.Environ(), "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home, "HELM_DRIVER=secret")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("helm %s: %w: %s", args[0], err, stderr.String())
	}
	return stdout.String(), nil
}

// template renders a release with the shipped values and more arguments.
func template(t *testing.T, release, namespace string, args ...string) ([]*unstructured.Unstructured, error) {
	t.Helper()
	text, err := helm(t, append([]string{"template", release, chart, "--namespace", namespace, kubernetes, "--values", values}, args...)...)
	if err != nil {
		return nil, err
	}
	return objects(t, text), nil
}

func rendered(t *testing.T, args ...string) []*unstructured.Unstructured {
	t.Helper()
	out, err := template(t, "portcullis", "portcullis", args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func objects(t *testing.T, text string) []*unstructured.Unstructured {
	t.Helper()
	var out []*unstructured.Unstructured
	for decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096); ; {
		o := &unstructured.Unstructured{}
		err := decoder.Decode(o)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(o.Object) > 0 {
			out = append(out, o)
		}
	}
}

// names are all objects in short, sorted: kind, namespace and name.
func names(list []*unstructured.Unstructured) []string {
	out := make([]string, len(list))
	for i, o := range list {
		out[i] = strings.Join(strings.Fields(o.GetKind()+" "+o.GetNamespace()+" "+o.GetName()), " ")
	}
	slices.Sort(out)
	return out
}

// the one object of a kind and name, as its type.
func the[T any](t *testing.T, list []*unstructured.Unstructured, kind, name string) *T {
	t.Helper()
	for _, o := range list {
		if o.GetKind() != kind || o.GetName() != name {
			continue
		}
		out := new(T)
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	t.Fatalf("there is no %s %s among %q", kind, name, names(list))
	return nil
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// absolute is a path of the work tree, for programs that run elsewhere.
func absolute(t *testing.T, path string) string {
	t.Helper()
	return must[string](t)(filepath.Abs(filepath.Join(root, path)))
}
