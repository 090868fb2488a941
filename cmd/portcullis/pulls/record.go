package pulls

import (
	"context"
	"maps"
	"strconv"
	"time"
)

// mostMerged bounds the merged pull requests that wait for their commit; the
// oldest are given up.
const mostMerged = 200

// save writes down what is to be known after a restart, if that is another.
func (d *Desk) save(ctx context.Context) {
	records := map[string]Record{}
	for number, e := range d.open {
		d.note(e)
		records[strconv.Itoa(number)] = e.Record
	}
	for number, e := range d.merged {
		records[strconv.Itoa(number)] = e.Record
	}
	d.forget(records)
	if d.saves(records) || d.Now().Before(d.unsaved) {
		return
	}
	if err := d.Save(ctx, records); err != nil {
		d.Log.Error(err, "Cannot write down the pull requests, trying again later")
		d.unsaved = d.Now().Add(firstPause)
		return
	}
	d.saved = records
	d.unsaved = time.Time{}
	clear(d.over)
}

// saves tells whether what is written down says as much. By itself it is not worth
// a write that one is over, or was merged: both may go with the next one, as
// whoever reads of them finds that out again.
func (d *Desk) saves(records map[string]Record) bool {
	known := maps.Clone(records)
	for name, last := range d.over {
		if _, again := records[name]; !again && d.saved[name] == last {
			known[name] = last
		}
	}
	for name, r := range known {
		if r.Merged != "" && d.saved[name].Merged == "" {
			r.Merged = ""
			known[name] = r
		}
	}
	return maps.Equal(known, d.saved)
}

// forget drops the checks that arrived and that nobody asks about any more.
func (d *Desk) forget(records map[string]Record) {
	asked := map[string]bool{}
	for _, r := range records {
		asked[r.Check] = true
	}
	for _, e := range d.open {
		asked[e.check] = true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.told, func(hash string, arrived bool) bool { return arrived && !asked[hash] })
}

// note takes up that a check was delivered. What is not known of the Git host
// yet stays as it was.
func (d *Desk) note(e *entry) {
	if e.pr.Number == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if e.Head != e.pr.Head {
		e.Head, e.Check = e.pr.Head, ""
	}
	if d.told[e.check] {
		e.Check = e.check
	}
}
