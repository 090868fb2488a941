package stage

import (
	"slices"
	"strings"
	"sync"
)

// suffixLength is how many characters at the end of a name a suffix replaces,
// so that lines and columns stay what they are.
const suffixLength = 3

// names turns the names of the examples into those of one stage, and back.
type names struct {
	suffix string

	mu    sync.Mutex
	pairs []string          // example, own, example, own, ...
	to    *strings.Replacer // of the pairs; nil before they are asked for
}

// add makes names known; what is known already stays as it is.
func (n *names) add(list ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, name := range list {
		if n.suffix != "" && !slices.Contains(n.pairs, name) {
			n.pairs, n.to = append(n.pairs, name, name[:len(name)-suffixLength]+n.suffix), nil
		}
	}
}

// own is a text as the stage has it.
func (n *names) own(text string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.to == nil { // making one takes longer than using it, with many names
		n.to = strings.NewReplacer(n.pairs...)
	}
	return n.to.Replace(text)
}

// example is a text of the stage as the examples would have it.
func (n *names) example(text string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	back := slices.Clone(n.pairs)
	slices.Reverse(back)
	return strings.NewReplacer(back...).Replace(text)
}

// Own is a text of the examples as it is on the seed.
func (s *Stage) Own(text string) string { return s.names.own(text) }
