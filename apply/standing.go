package apply

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Standing is what is known of a cluster besides its state and outlasts it:
// problems that nobody could find out again after a restart, and what the
// judgement of the next foreign write depends on. It is part of the state
// (Deviation); its texts are bounded. Once published it is not changed.
type Standing struct {
	// UID is that of the Cluster; of one made anew nothing is known.
	UID string `json:"uid"`
	// Foreign are the writes of others that were put right. It is forgotten a
	// day after the last one.
	Foreign *Foreign `json:"foreign,omitempty"`
	// ByHand is a list that somebody may keep for a time, or might until
	// lately; it is forgotten once the list in Git is in force again, and not
	// because nothing is wanted of the cluster for a while.
	ByHand *ByHand `json:"byHand,omitempty"`
	// Balancer is what the load balancer says against the Service.
	Balancer *Trouble `json:"balancer,omitempty"`
	// Ignored is that it says that it does not enforce the list.
	Ignored *Trouble `json:"ignored,omitempty"`
	// KKP is status.errorReason of the Cluster.
	KKP *Trouble `json:"kkp,omitempty"`
}

// Trouble is what somebody else reports about a cluster.
type Trouble struct {
	Reason  string    `json:"reason"`
	Message string    `json:"message,omitempty"` // up to 300 bytes
	Since   time.Time `json:"since"`
	// Old is set where it was there already when the cluster was first looked
	// at: nobody knows since when.
	Old bool `json:"old,omitempty"`
}

// Bounds of others' words, in bytes.
const (
	maxReason  = 80
	maxTrouble = 300
	maxWriter  = 100
	maxWrote   = 200
)

func (s *Standing) empty() bool {
	return s.Foreign == nil && s.ByHand == nil && s.Balancer == nil && s.Ignored == nil && s.KKP == nil
}

// lasting is what stands of a list that is not kept for now: what others say
// of it is void, but a time by hand does not begin anew by it, nor is a fight
// over.
func (s Standing) lasting() Standing { return Standing{Foreign: s.Foreign, ByHand: s.ByHand} }

// Problems are the standing problems in words, one line each: for a nil
// Standing none.
func (s *Standing) Problems() []string {
	if s == nil {
		return nil
	}
	var out []string
	if s.Foreign != nil {
		out = append(out, s.Foreign.words())
	}
	for _, said := range []struct {
		who string
		t   *Trouble
	}{{"the load balancer", s.Balancer}, {"not enforced: the load balancer", s.Ignored}, {"KKP", s.KKP}} {
		if said.t != nil {
			out = append(out, said.who+" says "+said.t.Words()+since(said.t))
		}
	}
	return out
}

func since(t *Trouble) string { return ", since " + stamp(t.Since) }

// Words are reason and message, on one line.
func (t *Trouble) Words() string {
	if t.Message == "" {
		return t.Reason
	}
	return t.Reason + ": " + t.Message
}

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// raise is the trouble as it stands after it was reported (again): one that
// is the same but for numbers goes on as it was. Load balancers put a new
// request ID into each report, and each would be news else.
func (t *Trouble) raise(reason, message string, at time.Time) *Trouble {
	next := &Trouble{Reason: clip(reason, maxReason), Message: clip(message, maxTrouble), Since: at.UTC().Truncate(time.Second)}
	if t != nil && t.Reason == next.Reason && Gist(t.Message) == Gist(next.Message) {
		return t
	}
	return next
}

// Gist is what is left of others' words when it comes to whether they say
// something else: the words of the text, each once and in one order. Left out
// is what varies each time the same is said: whatever holds a digit, such as
// resourceVersions, UIDs, request IDs, times and durations, whatever is quoted,
// and the names of days and months.
func Gist(text string) string {
	var kept []string
	for _, w := range strings.FieldsFunc(quoted.ReplaceAllString(text, " "), besideWords) {
		if !strings.ContainsFunc(w, unicode.IsDigit) && !calendar.MatchString(w) {
			kept = append(kept, w)
		}
	}
	slices.Sort(kept)
	return strings.Join(slices.Compact(kept), " ")
}

var (
	// quoted does not take an apostrophe within a word for a quote.
	quoted   = regexp.MustCompile("\"[^\"]*\"|`[^`]*`|\\B'[^']*'\\B")
	calendar = regexp.MustCompile(`^(Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|AM|PM)$`)
)

// besideWords are white space and the marks that lists and sentences are made
// of: what is at the end of one here is in the middle of it the next time.
func besideWords(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",;:()[]{}<>", r) }

// fails is the trouble that speaks against the list that the Cluster carries
// since it was written; nil if none does. What was there before, and has not
// changed, does not; nor does what a balancer says of other ranges. Carried
// says that the Service has the list.
func (s *Standing) fails(carried, ignores bool, written time.Time) *Trouble {
	after := func(t *Trouble) bool { return t != nil && !t.Old && !t.Since.Before(written) }
	switch {
	case s.Balancer != nil && (carried || after(s.Balancer)):
		return s.Balancer
	case s.Ignored != nil && carried && !ignores:
		return s.Ignored
	case after(s.KKP):
		return s.KKP
	}
	return nil
}

// words tell of the last foreign write.
func (f *Foreign) words() string {
	text := fmt.Sprintf("%s %s; put right at %s", f.Writer, f.Wrote, stamp(f.At))
	if f.Count > 1 {
		text += fmt.Sprintf(", %d times so far", f.Count)
	}
	return text
}
