package source

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// PullRefs is where a Git host shows the heads of pull requests, those of
// forks too. They stay when a pull request is closed.
type PullRefs string

// The places that are known.
const (
	PullRequests  PullRefs = "refs/pull/"           // GitHub, Gitea, Forgejo: refs/pull/7/head
	MergeRequests PullRefs = "refs/merge-requests/" // GitLab: refs/merge-requests/7/head
)

// ref is the name of a pull request's head.
func (p PullRefs) ref(number int) string { return string(p) + strconv.Itoa(number) + "/head" }

// number is that of the pull request whose head is called so.
func (p PullRefs) number(ref string) (int, bool) {
	rest, ok := strings.CutPrefix(ref, string(p))
	if !ok {
		return 0, false
	}
	digits, ok := strings.CutSuffix(rest, "/head")
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n <= 0 || n > math.MaxInt32 || digits[0] == '0' || digits[0] == '+' {
		return 0, false
	}
	return n, true
}

// Pulls are the heads of all pull requests that a remote has, closed ones
// included, as one listing told them. It is a value that never changes; the
// zero value has none.
type Pulls struct{ heads []pullHead }

// pullHead is kept small: there are as many as there ever were pull requests.
type pullHead struct {
	number int32
	head   plumbing.Hash
}

// pullsOf makes them of a listing in any order.
func pullsOf(heads []pullHead) Pulls {
	slices.SortFunc(heads, func(a, b pullHead) int { return cmp.Compare(a.number, b.number) })
	return Pulls{slices.Clip(heads)}
}

// PullsOf are heads by number, as a listing would have told them: full hashes.
func PullsOf(heads map[int]string) Pulls {
	all := make([]pullHead, 0, len(heads))
	for number, head := range heads {
		all = append(all, pullHead{int32(number), plumbing.NewHash(head)})
	}
	return pullsOf(all)
}

// Len is how many there are.
func (p Pulls) Len() int { return len(p.heads) }

// Head is the full hash of a pull request's head, if there is one.
func (p Pulls) Head(number int) (string, bool) {
	head, ok := p.head(number)
	if !ok {
		return "", false
	}
	return head.String(), true
}

func (p Pulls) head(number int) (plumbing.Hash, bool) {
	i, ok := slices.BinarySearchFunc(p.heads, number, func(h pullHead, n int) int { return cmp.Compare(int(h.number), n) })
	if !ok {
		return plumbing.ZeroHash, false
	}
	return p.heads[i].head, true
}

// still tells whether a listing, in any order, has these heads and no others.
func (p Pulls) still(heads []pullHead) bool {
	if len(heads) != len(p.heads) {
		return false
	}
	for _, h := range heads {
		if was, known := p.head(int(h.number)); !known || was != h.head {
			return false
		}
	}
	return true
}

// All are the heads by number, the lowest first.
func (p Pulls) All() iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for _, h := range p.heads {
			if !yield(int(h.number), h.head.String()) {
				return
			}
		}
	}
}

// Moved are the numbers, sorted, whose head is not the same before: new, moved
// or gone. After a restart, when nothing is known of before, that is all.
func (p Pulls) Moved(before Pulls) []int {
	a, b := before.heads, p.heads
	if len(a) > 0 && len(a) == len(b) && &a[0] == &b[0] {
		return nil // the rule: nothing moved between two polls
	}
	var out []int
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].number < b[0].number:
			out, a = append(out, int(a[0].number)), a[1:]
		case len(a) == 0 || b[0].number < a[0].number:
			out, b = append(out, int(b[0].number)), b[1:]
		default:
			if a[0].head != b[0].head {
				out = append(out, int(b[0].number))
			}
			a, b = a[1:], b[1:]
		}
	}
	return out
}

// Pulls are the pull requests' heads as the last listing of the remote told
// them, which is that of the last Poll that found the branch. It asks nobody.
// Without Options.Pulls there are none.
func (r *Repository) Pulls() Pulls {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.pulls
}

// notePulls keeps the list that is there while nothing moved, so that asking
// for what moved is cheap.
func (r *Repository) notePulls(heads []pullHead) {
	known := r.Pulls()
	if len(heads) > 0 && len(heads) == known.Len() && &heads[0] == &known.heads[0] || known.still(heads) {
		return
	}
	now := pullsOf(heads)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pulls = now
}
