package source

import (
	"errors"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
)

// A listing by the protocol's first version names every ref, and a host keeps
// one or two for each pull request there ever was: with 20,000 of them a poll is
// 1.2 MiB. Its second version is asked for some refs alone. So once a listing
// was long, polls only glance at what matters: the branch, the pull requests
// that are open, and the numbers that the next ones will have. That is one
// request too. What a glance cannot do, a listing does: it is the way of every
// host and of every protocol, and comes again after so many glances in any case.
const (
	glanceAbove = 500  // refs of a listing: shorter ones cost no more than a glance
	glances     = 59   // in a row: at a poll a minute all is listed once an hour
	glanceAhead = 100  // numbers after the highest known: issues have them too
	glanceMost  = 1000 // open pull requests
)

// sight is what polls know of glances.
type sight struct {
	left         int              // how many there are to be before the next listing
	capabilities *capability.List // of the last listing: fetches are asked for by these
	host         glancing
}

// glancing is whether a host can be glanced at.
type glancing int

const (
	unasked glancing = iota
	able
	unable // until the process ends
)

// listed notes a whole listing.
func (s *sight) listed(adv *packp.AdvRefs, heads []pullHead) {
	s.left, s.capabilities = 0, adv.Capabilities
	if len(adv.References)+len(heads) > glanceAbove {
		s.left = glances
	}
}

// Follow says which pull requests are open, by number: those whose heads polls
// are to see, however many others there are. New ones are seen all the same.
// Before it was called, and where they are more than a thousand, polls list all.
func (r *Repository) Follow(open []int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open, r.follows = slices.Clone(open), true
}

// glance asks for what matters alone. It is not ok where everything has to be
// listed: of glances that fail nobody is told, a listing says why.
func (r *Repository) glance(l *link) (adv *packp.AdvRefs, heads []pullHead, ok bool) {
	session, http := l.session.(*httpSession)
	numbers, known := r.watched()
	if !http || !known || r.sight.left == 0 || r.sight.host == unable {
		return nil, nil, false
	}
	r.sight.left--
	refs, err := r.look(session, numbers)
	if err != nil {
		r.opts.Log.V(1).Info("cannot ask for some refs alone, listing all", "source", r.opts.Name, "reason", judge(l.ctx, err, l.secrets).Error())
		return nil, nil, false
	}
	branch := "refs/heads/" + r.opts.Branch
	head, ok := refs[branch]
	adv = packp.NewAdvRefs()
	adv.Capabilities, adv.References[branch] = r.sight.capabilities, head
	return adv, r.Pulls().with(r.opts.Pulls, numbers, refs), ok
}

// look asks the host, the first time whether it can be asked.
func (r *Repository) look(session *httpSession, numbers []int) (refs map[string]plumbing.Hash, err error) {
	if r.sight.host == unasked {
		err = session.knowsSome()
	}
	if err == nil {
		prefixes := []string{"refs/heads/" + r.opts.Branch}
		for _, n := range numbers {
			prefixes = append(prefixes, r.opts.Pulls.ref(n))
		}
		refs, err = session.some(prefixes)
	}
	switch {
	case err == nil:
		r.sight.host = able
	case errors.Is(err, errUnable):
		r.sight.host = unable
	default:
		r.sight.host = unasked
	}
	return refs, err
}

// watched are the pull requests to glance at; unknown where all have to be
// listed.
func (r *Repository) watched() (numbers []int, known bool) {
	if r.opts.Pulls == "" {
		return nil, true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.follows || len(r.open) > glanceMost {
		return nil, false
	}
	numbers = slices.Clone(r.open)
	highest := r.pulls.highest()
	for i := range glanceAhead {
		numbers = append(numbers, highest+1+i)
	}
	slices.Sort(numbers)
	return slices.Compact(numbers), true
}

func (p Pulls) highest() int {
	if len(p.heads) == 0 {
		return 0
	}
	return int(p.heads[len(p.heads)-1].number)
}

// with are these heads, those of some numbers as refs have them. They are the
// very same where nothing moved.
func (p Pulls) with(names PullRefs, numbers []int, refs map[string]plumbing.Hash) []pullHead {
	var moved []int
	for _, n := range numbers {
		before, was := p.head(n)
		if now, is := refs[names.ref(n)]; is != was || now != before {
			moved = append(moved, n)
		}
	}
	if len(moved) == 0 {
		return p.heads
	}
	out := slices.DeleteFunc(slices.Clone(p.heads), func(h pullHead) bool { return slices.Contains(moved, int(h.number)) })
	for _, n := range moved {
		if now, is := refs[names.ref(n)]; is {
			out = append(out, pullHead{int32(n), now})
		}
	}
	return out
}
