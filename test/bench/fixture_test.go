package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/portcullis-gitops/portcullis/render/document"
)

func TestFilesAskForAListOfEachCluster(t *testing.T) {
	t.Parallel()
	f := fixture{50}
	first, err := f.plan(nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	second, err := f.plan(nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i := range f.n {
		a, b := first.Clusters[f.cluster(i)], second.Clusters[f.cluster(i)]
		if len(a.List) < 5 || slices.Equal(a.List, b.List) {
			t.Errorf("%s: %v, then %v: the policy changes nothing", f.cluster(i), a.List, b.List)
		}
	}
}

func TestEditionsOfAFileDiffer(t *testing.T) {
	t.Parallel()
	f := fixture{50}
	seen := map[string]bool{}
	for edition := range changes + 1 {
		text := f.file(0, edition)
		if problems := document.Parse([]byte(text)).Problems; len(problems) > 0 {
			t.Errorf("edition %d: %v", edition, problems)
		}
		seen[text] = true
	}
	if len(seen) != changes+1 {
		t.Errorf("%d different editions, want %d", len(seen), changes+1)
	}
}

func TestEachStopsAtTheFirstError(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	done := map[int]int{}
	count := func(_ context.Context, i int) error {
		mu.Lock()
		defer mu.Unlock()
		done[i]++
		return nil
	}
	if err := each(t.Context(), [2]int{10, 60}, count); err != nil || len(done) != 50 || done[10] != 1 || done[59] != 1 {
		t.Errorf("%d of 50 were done, error %v", len(done), err)
	}
	broken := errors.New("broken")
	begun := 0
	err := each(t.Context(), [2]int{0, 1_000_000}, func(context.Context, int) error {
		mu.Lock()
		defer mu.Unlock()
		begun++
		return broken
	})
	if !errors.Is(err, broken) || begun == 1_000_000 {
		t.Errorf("got %v after %d", err, begun)
	}
}
