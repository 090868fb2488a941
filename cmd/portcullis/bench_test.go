package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/source"
)

// The benchmarks are of 10,000 files of 2,000 tenants. The reference, in the
// same run, is to take the same bytes apart with nothing but yaml.v3's nodes:
//
//	go test ./cmd/portcullis -run - -bench 10000 -benchtime 3x
const benchFiles = 10_000

func benchFile(i int) string {
	return fmt.Sprintf(`apiVersion: portcullis.dev/v1alpha1
kind: Allowlist
metadata: {name: list%d}
spec:
  clusters: [c%09d]
  nodeEgress: [8.8.%d.%d]
  entries:
    - description: office number %d
      owner: netops@tenant.example
      ticket: T-%d
      cidrs: [9.%d.%d.0/24, "2a00:%x::/48"]
    - {description: contractor, cidr: 11.%d.%d.7, expires: 2031-12-31}
  tests:
    - allow: 9.%d.%d.10
    - deny: 1.1.1.1
`, i%5, i, i/256%256, i%256, i, i, i/256%256, i%256, i+4096, i/256%256, i%256, i/256%256, i%256)
}

func benchTree(b *testing.B) (dir string, size int64) {
	b.Helper()
	dir = filepath.Join(b.TempDir(), "tenants")
	for i := range benchFiles {
		folder := filepath.Join(dir, fmt.Sprintf("t%09d", i/5))
		if i%5 == 0 {
			if err := os.MkdirAll(folder, 0o755); err != nil {
				b.Fatal(err)
			}
		}
		text := benchFile(i)
		size += int64(len(text))
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%d.yaml", i%5)), []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return dir, size
}

// BenchmarkBareNodes10000 is the reference: the files are read, and taken apart
// into nodes.
func BenchmarkBareNodes10000(b *testing.B) {
	dir, size := benchTree(b)
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			decoder := yaml.NewDecoder(bytes.NewReader(content))
			for {
				var n yaml.Node
				if err := decoder.Decode(&n); errors.Is(err, io.EOF) {
					return nil
				} else if err != nil {
					return err
				}
			}
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCheck10000 is `portcullis check` of the same files.
func BenchmarkCheck10000(b *testing.B) {
	dir, size := benchTree(b)
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		if code := execute(context.Background(), []string{"check", dir}, io.Discard, io.Discard); code != 0 {
			b.Fatalf("exit code %d", code)
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.Sys)/(1<<20), "MiB-of-the-process")
}

// BenchmarkAgain10000 judges all files after one changed, as the reconciler
// does: the others are not taken apart again.
func BenchmarkAgain10000(b *testing.B) {
	dir, _ := benchTree(b)
	cache, p := render.NewCache(), policy.Default()
	again := func() {
		snapshot, read, err := source.ReadFolder(dir, "")
		if err != nil {
			b.Fatal(err)
		}
		files, err := parseAll(context.Background(), cache, "", snapshot, read)
		if err != nil {
			b.Fatal(err)
		}
		render.Render(render.Input{Files: files, Policy: p, Now: time.Now()})
	}
	again()
	taken, round := cache.Taken, 0
	for b.Loop() {
		round++
		if err := os.WriteFile(filepath.Join(dir, "t000000000", "0.yaml"), []byte(benchFile(benchFiles+round)), 0o644); err != nil {
			b.Fatal(err)
		}
		again()
	}
	if cache.Taken-taken != round {
		b.Fatalf("%d files were taken apart in %d rounds of one change", cache.Taken-taken, round)
	}
}

// BenchmarkDiff10000 is `portcullis diff` of one file among the others.
func BenchmarkDiff10000(b *testing.B) {
	dir, _ := benchTree(b)
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=b", "-c", "user.email=b@b.example", "commit", "-qm", "all"}} {
		if out, err := exec.Command("git", append([]string{"-C", filepath.Dir(dir)}, args...)...).CombinedOutput(); err != nil {
			b.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "t000000000", "0.yaml"), []byte(benchFile(benchFiles)), 0o644); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if code := execute(context.Background(), []string{"diff", "-C", dir}, io.Discard, io.Discard); code != 1 { // a cluster loses its list
			b.Fatalf("exit code %d", code)
		}
	}
}
