package source

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"pgregory.net/rapid"
)

// pedigree is a history in memory; commit i's parents come before it.
type pedigree struct {
	parents [][]int
	when    []int64
}

func (p pedigree) hash(i int) (h plumbing.Hash) {
	binary.BigEndian.PutUint32(h[:], uint32(i+1))
	return h
}

func (p pedigree) commit(h plumbing.Hash) (commitHead, error) {
	i := int(binary.BigEndian.Uint32(h[:])) - 1
	c := commitHead{hash: h, when: p.when[i]}
	for _, parent := range p.parents[i] {
		c.parents = append(c.parents, p.hash(parent))
	}
	return c, nil
}

func (p pedigree) reaches(from int) map[int]bool {
	out := map[int]bool{from: true}
	for _, parent := range p.parents[from] {
		for i := range p.reaches(parent) {
			out[i] = true
		}
	}
	return out
}

// best is the definition: what both reach, and no other of those reaches.
func (p pedigree) best(a, b int) []int {
	ofA, ofB := p.reaches(a), p.reaches(b)
	var out []int
	for i := range p.parents {
		if !ofA[i] || !ofB[i] {
			continue
		}
		better := false
		for j := range p.parents {
			better = better || j != i && ofA[j] && ofB[j] && p.reaches(j)[i]
		}
		if !better {
			out = append(out, i)
		}
	}
	return out
}

func pedigrees(t *rapid.T) pedigree {
	var p pedigree
	honest := rapid.Bool().Draw(t, "honest clocks")
	for i := range rapid.IntRange(2, 14).Draw(t, "commits") {
		var parents []int
		if i > 0 {
			parents = rapid.SliceOfNDistinct(rapid.IntRange(max(0, i-5), i-1), 0, 3, rapid.ID[int]).Draw(t, "parents")
		}
		when := int64(i)
		if !honest {
			when = rapid.Int64Range(0, 5).Draw(t, "when")
		}
		p.parents, p.when = append(p.parents, parents), append(p.when, when)
	}
	return p
}

// Whatever clocks say, the base is one of the best, and the newest of them.
func TestMergeBaseIsABestOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := pedigrees(t)
		a := rapid.IntRange(0, len(p.parents)-1).Draw(t, "a")
		b := rapid.IntRange(0, len(p.parents)-1).Draw(t, "b")
		want := p.best(a, b)
		got, err := mergeBase(context.Background(), p, p.hash(a), p.hash(b))
		if len(want) == 0 {
			if !errors.Is(err, ErrUnrelated) {
				t.Fatalf("nothing in common, and yet %v, %v", got, err)
			}
			return
		}
		i := int(binary.BigEndian.Uint32(got[:])) - 1
		if err != nil || !slices.Contains(want, i) {
			t.Fatalf("got %d, %v, want one of %v", i, err, want)
		}
		for _, other := range want {
			if p.when[other] > p.when[i] {
				t.Fatalf("got %d, of which %d is newer", i, other)
			}
		}
		if again, err := mergeBase(context.Background(), p, p.hash(b), p.hash(a)); again != got || err != nil {
			t.Fatalf("the other way round: %v, %v, was %v", again, err, got)
		}
	})
}

// A search that goes by dates finds both, the older one first, and ends before
// it gets from one to the other.
func TestMergeBaseBelowAnotherOne(t *testing.T) {
	t.Parallel()
	p := pedigree{
		parents: [][]int{{}, {0}, {1}, {2, 0}, {2, 0}},
		when:    []int64{100, 1, 1, 200, 200},
	}
	got, err := mergeBase(t.Context(), p, p.hash(3), p.hash(4))
	if err != nil || got != p.hash(2) {
		t.Errorf("got %v, %v, want %v", got, err, p.hash(2))
	}
}
