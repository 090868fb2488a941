package pulls

// Judged is a pull request as it was judged last.
type Judged struct {
	Number int
	URL    string // page for people
	Target string // branch
	Result
}

// Judged is what was judged of the pull request with that head; of several the
// one whose check counts. It may be asked while the desk runs.
func (d *Desk) Judged(head string) (Judged, bool) {
	all := d.judgedNow.Load()
	if all == nil {
		return Judged{}, false
	}
	j, known := (*all)[head]
	return j, known
}

// publish leaves what was judged for those who ask.
func (d *Desk) publish() {
	all := make(map[string]Judged, len(d.open))
	for _, e := range d.open {
		if e.away || e.judged == "" || e.judged != e.pr.Head {
			continue
		}
		if other, there := all[e.judged]; there && (other.Failure && !e.result.Failure || other.Failure == e.result.Failure && other.Number < e.number) {
			continue
		}
		all[e.judged] = Judged{Number: e.number, URL: e.pr.URL, Target: e.pr.Target, Result: e.result}
	}
	d.judgedNow.Store(&all)
}
