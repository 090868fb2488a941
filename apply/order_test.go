package apply

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// many are n clusters of a tenant, all of which are to be tightened or widened.
func many(tenant string, n int, widens bool) []due {
	var out []due
	for i := range n {
		out = append(out, due{cluster: fmt.Sprintf("%s%d", tenant, i), tenant: tenant, writes: true, widens: widens})
	}
	return out
}

// line is who waits in which order, as the queue has it: those of one turn in
// the order in which they came.
type line struct {
	order
	waiting []turn
}

func newLine() *line { return &line{order: newOrder()} }

func (l *line) add(all ...due) {
	for _, t := range l.rank(all) {
		i := slices.IndexFunc(l.waiting, func(w turn) bool { return w.cluster == t.cluster })
		if i < 0 {
			l.waiting = append(l.waiting, t)
		} else if t.at < l.waiting[i].at {
			l.waiting = append(slices.Delete(l.waiting, i, i+1), t)
		}
	}
	slices.SortStableFunc(l.waiting, func(a, b turn) int { return int(a.at - b.at) })
}

// take takes up to n from the line.
func (l *line) take(n int) (out []string) {
	for range min(n, len(l.waiting)) {
		out = append(out, l.waiting[0].cluster)
		l.took(l.waiting[0].cluster)
		l.waiting = l.waiting[1:]
	}
	return out
}

func TestOrder(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first []due // of one plan
		taken int   // before the second comes
		then  []due
		want  string // how the rest begins
	}{
		"tightenings come before widenings": {
			first: append(many("w", 2, true), many("t", 3, false)...), want: "t0 t1 t2 w0 w1"},
		"tenants take turns, the smaller one first": {
			first: append(many("a", 4, false), many("b", 2, false)...), want: "b0 a0 b1 a1 a2 a3"},
		"a change does not wait behind a mass change": {
			first: many("a", 1000, false), taken: 100, then: many("b", 1, false), want: "a100 b0 a101"},
		"nor does one that widens behind a mass of these": {
			first: many("a", 1000, true), taken: 100, then: many("b", 1, true), want: "a100 b0 a101"},
		"one that widens is passed by a few tightenings only": {
			first: many("a", 1000, false), taken: 100, then: many("b", 1, true),
			want: "a100 a101 a102 a103 a104 a105 a106 a107 b0 a108"},
		"a tightening passes a mass that widens": {
			first: many("a", 1000, true), taken: 100, then: many("b", 3, false), want: "b0 b1 b2 a100"},
		"a tenant's own tightenings come first": {
			first: append(many("a", 10, false), due{cluster: "w", tenant: "a", writes: true, widens: true}),
			want:  "a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 w"},
		"what takes no write takes no turn": {
			first: many("a", 1000, true), taken: 100, then: []due{{cluster: "look"}}, want: "look a100"},
		"a place in the line is kept": {
			first: many("a", 4, false), taken: 1, then: many("a", 4, false)[2:], want: "a1 a2 a3"},
		"a place in the line is bettered": {
			first: many("a", 1000, true), taken: 1, then: []due{{cluster: "a500", tenant: "a", writes: true}}, want: "a500 a1 a2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLine()
			l.add(c.first...)
			l.take(c.taken)
			l.add(c.then...)
			got := l.take(len(strings.Fields(c.want)))
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %v, want %s", got, c.want)
			}
		})
	}
}

// A cluster that something happens to while it waits is looked at first, and
// that takes nobody else's turn.
func TestOrderOfWhatIsLookedAtEarly(t *testing.T) {
	t.Parallel()
	l := newLine()
	l.add(many("a", 1000, false)...)
	before := l.now
	if at := l.atOnce("a900"); at != before {
		t.Errorf("it is to be looked at in turn %d, not %d", at, before)
	}
	l.took("a900")
	if l.now != before {
		t.Errorf("turn %d after %d: those that come now wait for all of the others", l.now, before)
	}
}

// However plans follow on each other, nobody waits for more than his share, and
// nobody is lost.
func TestOrderIsFair(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l, mine, came, left := newLine(), 0, 0, map[string]bool{}
		crowd := many("crowd", rapid.IntRange(1, 300).Draw(t, "crowd"), rapid.Bool().Draw(t, "crowd widens"))
		l.add(crowd...)
		for _, d := range crowd {
			left[d.cluster] = true
		}
		for _, c := range l.take(rapid.IntRange(0, 300).Draw(t, "taken")) {
			delete(left, c)
		}
		few := many("few", rapid.IntRange(1, 10).Draw(t, "few"), rapid.Bool().Draw(t, "few widen"))
		l.add(few...)
		for i, c := range l.take(1000) {
			if delete(left, c); strings.HasPrefix(c, "few") {
				mine, came = mine+1, i+1
			}
		}
		if mine != len(few) || len(left) != 0 {
			t.Fatalf("%d of %d came, and of the others all but %d", mine, len(few), len(left))
		}
		if most := (share + 1) * len(few); came > most {
			t.Fatalf("the last of %d came as number %d, later than %d", len(few), came, most)
		}
	})
}
