package source

import (
	"cmp"
	"container/heap"
	"context"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
)

// What is known of a commit while bases are looked for.
const (
	reachedByA = 1 << iota
	reachedByB
	belowBase // reached by a base, so no best one itself
	isBase
)

const reachedByBoth = reachedByA | reachedByB

// mergeBase is the commit that two have in common and from which the changes of
// each are told. Where several are best (branches that were merged both ways)
// it is the newest by committer's date, as `git merge-base` answers, and of
// equally new ones that with the smallest hash. Dates are claims: wrong ones
// cost time, or choose among the best, and nothing else. Without any it is
// ErrUnrelated.
func mergeBase(ctx context.Context, from commits, a, b plumbing.Hash) (plumbing.Hash, error) {
	if a == b {
		return a, nil
	}
	s := baseSearch{from: from, known: map[plumbing.Hash]*reached{}}
	err := s.reach(a, reachedByA)
	if err == nil {
		err = s.reach(b, reachedByB)
	}
	if err == nil {
		err = s.run(ctx)
	}
	if err != nil {
		return plumbing.ZeroHash, err
	}
	best, err := s.best(ctx)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	if len(best) == 0 {
		return plumbing.ZeroHash, ErrUnrelated
	}
	return slices.MinFunc(best, func(a, b commitHead) int {
		return cmp.Or(cmp.Compare(b.when, a.when), cmp.Compare(a.hash.String(), b.hash.String()))
	}).hash, nil
}

// baseSearch goes down from two commits, newest first, and notes what each of
// them reaches, until all that is left lies below what both reach.
type baseSearch struct {
	from  commits
	known map[plumbing.Hash]*reached
	queue newest
	open  int // commits in the queue that may still lead to a base
	bases []commitHead
}

type reached struct {
	by     int
	queued bool
}

// reach notes that a commit is reached, and looks at it again if that is news.
func (s *baseSearch) reach(h plumbing.Hash, by int) error {
	r := s.known[h]
	if r == nil {
		r = &reached{}
		s.known[h] = r
	}
	before := r.by
	if r.by |= by; r.by == before {
		return nil
	}
	if r.queued {
		if before&belowBase == 0 && r.by&belowBase != 0 {
			s.open--
		}
		return nil
	}
	c, err := s.from.commit(h)
	if err != nil {
		return err
	}
	r.queued = true
	if r.by&belowBase == 0 {
		s.open++
	}
	heap.Push(&s.queue, c)
	return nil
}

func (s *baseSearch) run(ctx context.Context) error {
	for s.open > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		c := heap.Pop(&s.queue).(commitHead)
		r := s.known[c.hash]
		r.queued = false
		if r.by&belowBase == 0 {
			s.open--
		}
		pass := r.by & (reachedByBoth | belowBase)
		if pass == reachedByBoth {
			if r.by&isBase == 0 {
				r.by |= isBase
				s.bases = append(s.bases, c)
			}
			pass |= belowBase
		}
		for _, parent := range c.parents {
			if err := s.reach(parent, pass); err != nil {
				return err
			}
		}
	}
	return nil
}

// best are the bases that no other base contains. Where dates are wrong the
// search may have ended before it found out.
func (s *baseSearch) best(ctx context.Context) ([]commitHead, error) {
	bases := slices.DeleteFunc(s.bases, func(c commitHead) bool { return s.known[c.hash].by&belowBase != 0 })
	if len(bases) < 2 {
		return bases, nil
	}
	var parents []plumbing.Hash
	for _, c := range bases {
		parents = append(parents, c.parents...)
	}
	contained := map[plumbing.Hash]bool{}
	err := walkAll(ctx, s.from, parents, func(h plumbing.Hash) bool {
		contained[h] = true
		return false
	})
	return slices.DeleteFunc(bases, func(c commitHead) bool { return contained[c.hash] }), err
}
