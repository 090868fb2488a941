package metrics

import (
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render"
)

// Collector makes metrics of a View, at each scrape anew.
type Collector struct {
	view     func() View
	recorder *Recorder
	descs    map[string]*prometheus.Desc
}

// NewCollector collects what view answers, which is asked from any goroutine
// and has to answer at once, and what the recorder noted.
func NewCollector(view func() View, recorder *Recorder) *Collector {
	return &Collector{view: view, recorder: recorder, descs: descs()}
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *Collector) Collect(out chan<- prometheus.Metric) {
	v := c.view()
	s := scrape{out, c.descs}
	s.set(buildInfo, 1, v.Version, v.Seed)
	s.set(leader, truth(v.Leading))
	if !v.Leading {
		return
	}
	s.states(v.States)
	s.problems(v.States)
	s.plan(v.Plan, v.Now)
	s.budget(v.Budget)
	for _, src := range v.Sources {
		s.source(src, v)
	}
	for manager, n := range v.PutRight {
		s.set(putRight, float64(n), manager)
	}
	s.set(stateWrites, float64(v.StateWrites))
	s.set(stateFailures, float64(v.StateFailures))
	s.set(stateUnsaved, truth(v.Unsaved))
	s.set(policyStale, truth(v.PolicyStale))
	s.set(seedRangesSeen, truth(v.SeedRangesKnown))
	c.recorder.applied.Collect(out)
	c.recorder.requests.Collect(out)
}

// scrape is one answer to Prometheus.
type scrape struct {
	out   chan<- prometheus.Metric
	descs map[string]*prometheus.Desc
}

// set gives a metric a value. What others chose of a label may be anything.
func (s scrape) set(name string, value float64, labels ...string) {
	kind := prometheus.GaugeValue
	if strings.HasSuffix(name, "_total") {
		kind = prometheus.CounterValue
	}
	for i := range labels {
		labels[i] = strings.ToValidUTF8(labels[i], "�")
	}
	s.out <- prometheus.MustNewConstMetric(s.descs[name], kind, value, labels...)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// counts are values of a label with how often each is there; those that it is
// made with are shown also with 0.
type counts[K comparable] map[K]int

func countsOf[K comparable](always ...K) counts[K] {
	out := counts[K]{}
	for _, k := range always {
		out[k] = 0
	}
	return out
}

func (s scrape) states(states map[string]apply.ClusterState) {
	n := countsOf(apply.Pending, apply.Synced, apply.Applied, apply.Waiting, apply.Held, apply.Rejected, apply.Contested, apply.Missing)
	for _, st := range states {
		n[st.State]++
	}
	for state, count := range n {
		s.set(clusters, float64(count), string(state))
	}
}

func (s scrape) problems(states map[string]apply.ClusterState) {
	n := countsOf("load_balancer", "not_enforced", "kkp", "changed", "contested", "by_hand")
	for _, st := range states {
		for _, p := range problemsOf(st) {
			n[p]++
		}
	}
	for problem, count := range n {
		s.set(problems, float64(count), problem)
	}
}

func problemsOf(st apply.ClusterState) []string {
	var out []string
	add := func(is bool, problem string) {
		if is {
			out = append(out, problem)
		}
	}
	add(st.ByHand, "by_hand")
	if standing := st.Standing; standing != nil {
		add(standing.Balancer != nil, "load_balancer")
		add(standing.Ignored != nil, "not_enforced")
		add(standing.KKP != nil, "kkp")
		add(standing.Foreign != nil, "changed")
		add(standing.Foreign != nil && standing.Foreign.Contested, "contested")
	}
	return out
}

func (s scrape) plan(p *render.Plan, now time.Time) {
	held, found := countsOf[string](), countsOf[[2]string]()
	for _, w := range p.Clusters {
		if w.Held != nil {
			held[w.Held.Rule]++
		}
	}
	for _, f := range p.Findings {
		found[[2]string{f.Rule, string(f.Severity)}]++
	}
	for rule, n := range held {
		s.set(clustersHeld, float64(n), rule)
	}
	for k, n := range found {
		s.set(findings, float64(n), k[0], k[1])
	}
	for _, days := range []int{7, 30} {
		s.set(expiring, float64(expireWithin(p, now, days)), strconv.Itoa(days))
	}
}

// entryPlace tells entries apart that several clusters share.
type entryPlace struct {
	source, path, group, prefix string
	line, column                int
}

// expireWithin counts the entries in force that end within so many days.
func expireWithin(p *render.Plan, now time.Time, days int) int {
	seen, end := map[entryPlace]bool{}, now.AddDate(0, 0, days)
	for _, w := range p.Clusters {
		for _, e := range w.Entries {
			if e.Expires.IsZero() || e.Expired(now) || e.Expires.After(end) {
				continue
			}
			place := entryPlace{path: e.Path, group: e.Group, prefix: e.Prefix.String(), line: int(e.Line), column: int(e.Column)}
			if e.Path != "" { // else it is the provider's
				place.source = w.Claim.Source
			}
			seen[place] = true
		}
	}
	return len(seen)
}

func (s scrape) budget(b Budget) {
	if b.Limit > 0 {
		s.set(rulesUsed, float64(b.Used), b.Balancer, b.SharedBy)
		s.set(rulesLimit, float64(b.Limit), b.Balancer, b.SharedBy)
	}
}

func (s scrape) source(src Source, v View) {
	name := src.Name
	if src.Gone {
		s.holds(src)
		return
	}
	if !src.State.Since.IsZero() {
		s.set(revisionAge, max(0, v.Now.Sub(src.State.Since).Seconds()), name)
	}
	s.set(behind, src.behind(v.Now).Seconds(), name)
	s.set(lastPoll, unix(src.Polled), name)
	s.set(filesRefused, float64(refusedOf(v.Plan, name)), name)
	s.set(openPulls, float64(src.open()), name)
	s.holds(src)
	s.checks(src)
}

func unix(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

func refusedOf(p *render.Plan, source string) (n int) {
	for id := range p.Refused {
		if id.Source == source {
			n++
		}
	}
	return n
}

func (s scrape) holds(src Source) {
	n := countsOf("commit", "tenant", "seed")
	if src.State.Held != nil {
		n["commit"]++
	}
	for _, h := range src.State.Holds {
		if h.Tenant == "" {
			n["seed"]++
		} else {
			n["tenant"]++
		}
	}
	for of, count := range n {
		s.set(holds, float64(count), src.Name, of)
	}
}

func (s scrape) checks(src Source) {
	if src.Checks == nil {
		return
	}
	s.set(undelivered, float64(src.Checks.Undelivered), src.Name)
	s.set(oldestCheck, max(0, src.Checks.Oldest.Seconds()), src.Name)
	s.set(posted, float64(src.Checks.Posts), src.Name)
	s.set(postFailures, float64(src.Checks.Failures), src.Name)
	s.set(postRefusals, float64(src.Checks.Refusals), src.Name)
}
