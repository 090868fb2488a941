package source

import (
	"bytes"
	"container/heap"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

// MaxSkipped bounds what Skipped answers.
const MaxSkipped = 1000

// commitHead is what is needed of a commit to walk history.
type commitHead struct {
	hash    plumbing.Hash
	tree    plumbing.Hash
	parents []plumbing.Hash
	when    int64 // committer time, seconds since 1970
}

// commits is where history is read from.
type commits interface {
	commit(plumbing.Hash) (commitHead, error)
}

// parseCommit reads the header of a commit object.
func parseCommit(hash plumbing.Hash, data []byte) (commitHead, error) {
	c := commitHead{hash: hash}
	for line := range bytes.Lines(data) {
		key, value, _ := bytes.Cut(bytes.TrimRight(line, "\n"), []byte(" "))
		switch string(key) {
		case "tree":
			c.tree = plumbing.NewHash(string(value))
		case "parent":
			c.parents = append(c.parents, plumbing.NewHash(string(value)))
		case "committer":
			c.when = committed(value)
		case "": // the message begins
			return c, checkCommit(c)
		}
	}
	return c, checkCommit(c)
}

func checkCommit(c commitHead) error {
	if c.tree.IsZero() {
		return fmt.Errorf("commit %s has no tree", c.hash)
	}
	return nil
}

// committed is the time in "Name <mail> 1700000000 +0100"; 0 where there is
// none. The walk only takes it as a hint, so it may be anything.
func committed(value []byte) int64 {
	fields := bytes.Fields(value[bytes.LastIndexByte(value, '>')+1:])
	if len(fields) == 0 {
		return 0
	}
	when, err := strconv.ParseInt(string(fields[0]), 10, 64)
	if err != nil {
		return 0
	}
	return when
}

// newest is a queue of commits, newest first.
type newest []commitHead

func (q newest) Len() int           { return len(q) }
func (q newest) Less(i, j int) bool { return q[i].when > q[j].when }
func (q newest) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *newest) Push(x any)        { *q = append(*q, x.(commitHead)) }
func (q *newest) Pop() any {
	last := len(*q) - 1
	x := (*q)[last]
	*q = (*q)[:last]
	return x
}

// walk visits everything that start reaches, start included, newest first,
// until visit says stop. Times only decide the order, so wrong clocks cost
// time and nothing else. A parent is named before it is read.
func walk(ctx context.Context, from commits, start plumbing.Hash, visit func(plumbing.Hash) (stop bool)) error {
	return walkAll(ctx, from, []plumbing.Hash{start}, visit)
}

// walkAll is walk from several commits at once.
func walkAll(ctx context.Context, from commits, starts []plumbing.Hash, visit func(plumbing.Hash) (stop bool)) error {
	seen := map[plumbing.Hash]bool{}
	queue := &newest{}
	push := func(h plumbing.Hash) (bool, error) {
		if seen[h] {
			return false, nil
		}
		seen[h] = true
		if visit(h) {
			return true, nil
		}
		c, err := from.commit(h)
		if err == nil {
			heap.Push(queue, c)
		}
		return false, err
	}
	var stop bool
	var err error
	for _, start := range starts {
		if stop, err = push(start); stop || err != nil {
			return err
		}
	}
	for !stop && err == nil && queue.Len() > 0 {
		for _, parent := range heap.Pop(queue).(commitHead).parents {
			if stop, err = push(parent); stop || err != nil {
				break
			}
		}
		if err == nil {
			err = ctx.Err()
		}
	}
	return err
}

// isAncestor stops early at a fast-forward, which is the rule; "no" takes the
// whole history, which is what makes it certain.
func isAncestor(ctx context.Context, from commits, old, new plumbing.Hash) (bool, error) {
	found := false
	err := walk(ctx, from, new, func(h plumbing.Hash) bool {
		found = h == old
		return found
	})
	return found, err
}

// skipped is Skipped on hashes.
func skipped(ctx context.Context, from commits, old, new plumbing.Hash) ([]plumbing.Hash, error) {
	chain, hit, err := firstParents(ctx, from, old, new)
	if err != nil {
		return nil, err
	}
	if !hit { // old came in by a second parent, or is not there at all
		chain, err = outside(ctx, from, old, chain)
	}
	if len(chain) > MaxSkipped {
		chain = chain[:MaxSkipped]
	}
	slices.Reverse(chain)
	return chain, err
}

// firstParents follows first parents from new, itself left out, to old, to the
// root or to one more than can be answered.
func firstParents(ctx context.Context, from commits, old, new plumbing.Hash) (chain []plumbing.Hash, hit bool, err error) {
	for at := new; len(chain) <= MaxSkipped; {
		c, err := from.commit(at)
		if err != nil {
			return nil, false, err
		}
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		if len(c.parents) == 0 {
			break
		}
		if at = c.parents[0]; at == old {
			return chain, true, nil
		}
		chain = append(chain, at)
	}
	return chain, false, nil
}

// outside cuts the chain where it meets what old reaches.
func outside(ctx context.Context, from commits, old plumbing.Hash, chain []plumbing.Hash) ([]plumbing.Hash, error) {
	place := make(map[plumbing.Hash]int, len(chain))
	for i, h := range chain {
		place[h] = i
	}
	cut := len(chain)
	err := walk(ctx, from, old, func(h plumbing.Hash) bool {
		if i, in := place[h]; in {
			cut = min(cut, i)
		}
		return cut == 0
	})
	return chain[:cut], err
}

// storerCommits reads history from any store of go-git's.
type storerCommits struct{ storer.EncodedObjectStorer }

func (s storerCommits) commit(h plumbing.Hash) (commitHead, error) {
	data, err := content(s.EncodedObjectStorer, plumbing.CommitObject, h, maxCommit)
	if err != nil {
		return commitHead{}, err
	}
	return parseCommit(h, data)
}
