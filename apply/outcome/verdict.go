package outcome

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/report"
)

// State is a verdict's state, in the words of commit statuses.
type State string

// The states.
const (
	Pending State = "pending"
	Success State = "success"
	Failure State = "failure"
)

// Verdict is what a commit's check should say now.
type Verdict struct {
	State State
	// Title is a few words, without numbers that change while work goes on.
	Title string
	// Body is the findings that decided, then a line for each cluster.
	Body string
	// Findings are those that decided, as far as a check lists them, and Lines
	// the clusters with their states: the parts of Body.
	Findings []lint.Finding
	Lines    string
	// Identity is what makes it news: what kind of verdict it is, where the
	// faults are, and the clusters that failed. Not the clusters that are fine,
	// of which a later commit may take some over; and nothing that varies while
	// the same is said: forges keep every check for good.
	Identity string
	// Waits is set where a success is not in force yet: KKP is to do its part.
	Waits bool
	// Early is set where the check is final, and will say more once the work
	// on the commit's other clusters is done.
	Early bool
}

// Moment is what a verdict depends on besides the judgement.
type Moment struct {
	Plan   *render.Plan
	States map[string]apply.ClusterState
	Now    time.Time
	// Deadline is how long a cluster may be Applied before that is a failure.
	Deadline time.Duration
	// Set are the clusters for which the commit is the newest to have set the
	// list: news of others is not its own.
	Set []string
	// Tenants are those whose clusters Set were when the commit was judged: of
	// what is another's by now, made anew under the same ID, it has no news.
	// Empty where that is not known.
	Tenants []string
	// Approve is what lifts a hold of the commit's source; a command line.
	Approve string
	// Settled is set where the check was final before: then work in progress,
	// such as drift that is being put right, is no news.
	Settled bool

	unsupported map[string]bool         // clusters that wait because of how they are exposed
	seedFaults  map[string]lint.Finding // by cluster: what the seed decides
}

func (m Moment) indexed() Moment {
	// A cluster that was let go, because it is gone or not the tenant's any
	// more, is nobody's news.
	own := make(map[string]bool, len(m.Tenants)) // thousands, asked for each cluster
	for _, tenant := range m.Tenants {
		own[tenant] = true
	}
	m.Set = slices.DeleteFunc(slices.Clone(m.Set), func(id string) bool {
		w := m.Plan.Clusters[id]
		return w == nil || len(own) > 0 && !own[w.Claim.Tenant]
	})
	m.unsupported = map[string]bool{}
	m.seedFaults = map[string]lint.Finding{}
	for _, f := range m.Plan.Findings {
		if _, known := m.seedFaults[f.Cluster]; seedDecides(f) && !known {
			m.seedFaults[f.Cluster] = f
		}
		if f.Rule == "unsupported-expose-strategy" && f.Severity == lint.Error {
			m.unsupported[f.Cluster] = true
		}
	}
	return m
}

// mostLines bounds the findings, and the clusters, that a check lists.
const mostLines = 200

// Verdict is the judgement's at a moment; the zero Verdict says that there is
// no news. The order is that of the promises:
// what fails at once, what is under way, what failed, what is in force.
func (j Judgement) Verdict(m Moment) Verdict {
	m = m.indexed()
	kind, v := j.verdict(m)
	if v.State == "" {
		return Verdict{}
	}
	v.Body = list(v.Findings) + v.Lines
	v.Findings = v.Findings[:min(len(v.Findings), mostLines)]
	v.Identity = m.identity(kind, v, j.Errors)
	return v
}

// identity is the kind of verdict, the places of the findings that stay, and
// the clusters that failed.
func (m Moment) identity(kind string, v Verdict, errors []lint.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%v\n", kind, v.Early)
	for _, f := range errors {
		fmt.Fprintf(&b, "%s:%d:%d %s %s\n", f.Path, f.Line, f.Column, f.Rule, f.Cluster)
	}
	if v.State != Failure || v.Early {
		return b.String()
	}
	for _, id := range m.Set {
		if m.progress(id) == Failure {
			b.WriteString(m.failure(id))
		}
	}
	return b.String()
}

// failure is what makes a cluster's failure another one. Of a fight it is not
// who is at it: any client chooses its own name.
func (m Moment) failure(id string) string {
	s := m.shown(id)
	words := apply.Gist(s.Message)
	if s.State == apply.Contested {
		words = ""
	}
	if s.Trouble != nil {
		words += "\n" + s.Trouble.Reason + " " + apply.Gist(s.Trouble.Message)
	}
	return fmt.Sprintf("%s %s %s\n", id, s.State, words)
}

// verdict answers its kind too, in words that never vary while it is the same.
func (j Judgement) verdict(m Moment) (kind string, v Verdict) {
	if j.Hold != "" {
		return "held: " + j.Hold, Verdict{State: Failure, Title: "held: " + j.Hold}
	}
	waits, failed := m.sort()
	switch guarded, why := m.guarded(); {
	case guarded != "":
		return "guarded: " + why, Verdict{State: Failure, Title: "held: " + guarded, Findings: j.Errors, Lines: m.text(), Early: waits > 0}
	case len(j.Errors) > 0 && waits > 0:
		return "errors", Verdict{State: Failure, Title: title(j.Errors), Findings: j.Errors, Early: true} // its other clusters go on all the same
	case len(j.Errors) > 0:
		return "errors", Verdict{State: Failure, Title: title(j.Errors), Findings: j.Errors, Lines: m.text()}
	case waits > 0 && m.Settled && len(failed) == 0:
		return "", Verdict{} // nothing to say before the work is done
	case waits > 0 && !m.Settled:
		return "applying", Verdict{State: Pending, Title: "applying " + count(len(j.Set), "list")}
	case len(failed) > 0:
		return "failed", j.failed(m, failed)
	}
	kind, text := j.success(m)
	return kind, Verdict{State: Success, Title: text, Lines: m.text(), Waits: m.count(apply.Waiting) > 0}
}

func (j Judgement) failed(m Moment, failed []string) Verdict {
	v := Verdict{State: Failure, Title: m.failedTitle(failed), Findings: j.seedFindings(m, failed), Lines: m.text()}
	if len(v.Findings) > 0 {
		v.Title = title(v.Findings)
	}
	return v
}

// guarded says why some of the commit's clusters are kept from what it asks
// for, and what lifts that; empty where none is. One that only freezes waits
// behind one that can be approved. Why is the same without the numbers, which
// vary with what is live.
func (m Moment) guarded() (text, why string) {
	for _, id := range m.Set {
		switch w := m.Plan.Clusters[id]; {
		case w.Asked == nil:
		case w.Held.Rule == render.RuleBlastRadius:
			return w.Held.Message + "; to let it go ahead: " + m.Approve, w.Held.Rule + " " + m.Approve
		case text == "":
			text, why = w.Held.Message, w.Held.Rule+" "+w.Held.Message
		}
	}
	return text, why
}

func (j Judgement) success(m Moment) (kind, text string) {
	kind, text = "in force", count(len(m.Set), "list")+" in force"
	switch waiting := m.count(apply.Waiting); {
	case len(m.Set) == 0:
		kind, text = "nothing", "nothing to change here"
	case waiting == len(m.Set):
		kind, text = "waiting", count(len(m.Set), "list")+" written, waiting for KKP"
	case waiting > 0: // without their number: it would be another one with each
		kind, text = "some waiting", count(len(m.Set), "list")+" written, some waiting for KKP"
	}
	if j.Warnings > 0 {
		text += ", " + count(j.Warnings, "warning")
	}
	if j.Standing > 0 {
		text += fmt.Sprintf(" (%s not from this change)", count(j.Standing, "error"))
	}
	return kind, text
}

func (m Moment) count(state apply.State) int {
	n := 0
	for _, id := range m.Set {
		if m.States[id].State == state {
			n++
		}
	}
	return n
}

// sort tells how many of the commit's clusters are under way, and which failed.
func (m Moment) sort() (waits int, failed []string) {
	for _, id := range m.Set {
		switch m.progress(id) {
		case Pending:
			waits++
		case Failure:
			failed = append(failed, id)
		}
	}
	return waits, failed
}

func (m Moment) progress(id string) State {
	s, known := m.States[id]
	switch {
	case m.Plan.Clusters[id].Asked != nil:
		return Failure
	case !known || s.State == apply.Pending:
		return Pending
	case s.ByHand, s.Trouble != nil:
		return Failure // another list is live; or it is of no use where it is
	case s.State == apply.Applied && m.Now.Sub(s.Since) < m.Deadline:
		return Pending
	case s.State == apply.Held:
		return m.kept(s)
	case s.State == apply.Synced:
		return Success
	case s.State == apply.Waiting && s.Unsupported && m.exposed(id):
		return Pending // it is exposed otherwise by now, and was not looked at since
	case s.State == apply.Waiting && !m.unsupported[id]:
		return Success // written; KKP hands it on when it can
	}
	return Failure
}

func (m Moment) exposed(id string) bool {
	w := m.Plan.Clusters[id]
	return w != nil && w.Exposed
}

// kept is the progress of a list that this commit set and that a later one
// could not change: it is still this commit's. One that could not change it
// answers for that itself, see Judge.
func (m Moment) kept(s apply.ClusterState) State {
	switch {
	case s.Beneath == apply.Waiting && s.Unsupported, s.Beneath == apply.Applied && m.Now.Sub(s.Since) < m.Deadline:
		return Pending
	case s.Beneath == apply.Applied:
		return Failure
	}
	return Success
}

// seedFindings are the findings behind the failed clusters that only wait or
// are missing: those of the commit, else those of today.
func (j Judgement) seedFindings(m Moment, failed []string) []lint.Finding {
	own := map[string]lint.Finding{}
	for _, f := range j.SeedErrors {
		own[f.Cluster] = f
	}
	var out []lint.Finding
	for _, id := range failed {
		if s := m.States[id].State; s != apply.Waiting && s != apply.Missing {
			continue
		}
		if f, ok := own[id]; ok {
			out = append(out, f)
		} else if f, ok := m.seedFaults[id]; ok {
			out = append(out, f)
		}
	}
	lint.Sort(out)
	return out
}

func (m Moment) failedTitle(failed []string) string {
	s := m.States[failed[0]]
	text := fmt.Sprintf("%s: %s", m.title(failed[0]), s.State)
	switch {
	case s.Trouble != nil:
		text = m.title(failed[0]) + ": " + report.Escape(s.Trouble.Reason)
	case s.State == apply.Applied:
		text = fmt.Sprintf("%s: not on the load balancer after %s", m.title(failed[0]), m.Deadline)
	}
	return text + more(len(failed)-1)
}

func (m Moment) title(id string) string {
	if w := m.Plan.Clusters[id]; w != nil && w.Title != "" {
		return report.Escape(w.Title)
	}
	return id
}

// title names the first finding's place, for what shows a line only.
func title(findings []lint.Finding) string {
	f := findings[0]
	return fmt.Sprintf("%s:%d:%d: %s", report.Escape(f.Path), f.Line, f.Column, f.Rule) + more(len(findings)-1)
}

func more(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", and %d more", n)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// list is the findings as the command line prints them, as far as a note or a
// comment can hold them.
func list(findings []lint.Finding) string {
	var b strings.Builder
	for i, f := range findings {
		if i == mostLines {
			fmt.Fprintf(&b, "and %d more\n", len(findings)-mostLines)
			break
		}
		b.WriteString(report.Finding(f, false))
	}
	return b.String()
}

// text is the lines as a check holds them.
func (m Moment) text() string {
	var b strings.Builder
	for i, line := range m.lines() {
		if i == mostLines {
			fmt.Fprintf(&b, "and %d more\n", len(m.Set)-mostLines)
			break
		}
		b.WriteString(line)
	}
	return b.String()
}

// lines are the commit's clusters with their states, the worst first.
func (m Moment) lines() []string {
	ids := slices.Clone(m.Set)
	slices.SortStableFunc(ids, func(a, b string) int { return rank(m.progress(a)) - rank(m.progress(b)) })
	var out []string
	for _, id := range ids {
		out = append(out, m.line(id))
	}
	return out
}

// troubleWords are what speaks against a list, where its state does not say so
// itself.
func troubleWords(s apply.ClusterState) string {
	if s.Trouble == nil || strings.Contains(s.Message, s.Trouble.Words()) {
		return ""
	}
	return s.Trouble.Words()
}

func (m Moment) line(id string) string {
	s := m.shown(id)
	line := fmt.Sprintf("%s: %s", m.title(id), s.State)
	if s.Message != "" && (s.State != apply.Synced || strings.HasPrefix(s.Message, "not enforced")) {
		line += ", " + report.Escape(s.Message)
	}
	if words := troubleWords(s); words != "" {
		line += ", " + report.Escape(words)
	}
	return line + "\n"
}

// shown is a cluster's state as the commit sees it: that a later commit could
// not change the list is that one's news, and the list is still this one's.
func (m Moment) shown(id string) apply.ClusterState {
	s, w := m.States[id], m.Plan.Clusters[id]
	if w.Asked != nil && (s.State == apply.Pending || s.State == "") { // that is known before it was looked at
		return apply.ClusterState{State: apply.Held, Message: w.Held.Message}
	}
	if s.State == apply.Held && s.Beneath != "" && w.Asked == nil {
		return apply.ClusterState{State: s.Beneath, Trouble: s.Trouble}
	}
	return s
}

func rank(s State) int {
	return slices.Index([]State{Failure, Pending, Success}, s)
}
