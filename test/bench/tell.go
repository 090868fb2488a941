package main

import "fmt"

// What the series say, in the order of the work. What must not be more than so
// much are numbers of requests, and are told where they were counted; here are
// speed and memory, with what is aimed at.

// mebibyte is in bytes.
const mebibyte = 1 << 20

func (b *bench) tell() {
	b.tellUnchanged()
	b.tellChanged()
	b.tellFirst()
	b.tellRestart()
	b.tellReading()
	b.tellCheck()
	b.tellPolicy()
	b.tellPull()
	b.tellSeeds()
	b.table.sort()
}

// references are the engines that were measured, with what their results have
// to be multiplied by to be of all clusters.
func (b *bench) references() []rival {
	out := []rival{{fluxUser, "Flux's engine", 1, ""}}
	if b.options.kubectl == "" {
		return out
	}
	k := rival{kubectlUser, "kubectl apply --server-side", 1, ""}
	if b.n > most {
		k.factor = float64(b.n) / most
		k.note = fmt.Sprintf("kubectl on %d clusters, times %g", most, k.factor)
	}
	return append(out, k)
}

// rival is one of the engines in the table.
type rival struct {
	key, name string
	factor    float64
	note      string
}

func (b *bench) tellUnchanged() {
	s, t := b.series, b.table
	for _, r := range b.references() {
		t.against(r.name).note(r.note).compare("unchanged, an interval: requests to the API server", "requests", s["idle requests"], times(r.factor, s[r.key+" unchanged requests"]))
		t.against(r.name).note(r.note).compare("unchanged, an interval: processor time", "s", s["idle processor"], times(r.factor, s[r.key+" unchanged processor"]))
		t.against(r.name).note(r.note).compare("unchanged, an interval: processor time of etcd and kube-apiserver", "s", s["idle servers"], times(r.factor, s[r.key+" unchanged servers"]))
	}
}

func (b *bench) tellChanged() {
	s, t := b.series, b.table
	for _, r := range b.references() {
		t.against(r.name).note(r.note).under(1).compare("one file changed: wake-up to applied", "s", times(0.001, s["changed poll"]), times(r.factor, s[r.key+" changed seconds"]))
		t.against(r.name).note(r.note).compare("one file changed: requests to the API server", "requests", s["changed requests"], times(r.factor, s[r.key+" changed requests"]))
	}
}

func (b *bench) tellFirst() {
	const unit = "clusters/s"
	s, t := b.series, b.table
	t.against("bare loop").atLeast(0.9).compare("first sync, first write to last", unit, s["first rate"], s["bare first"])
	for _, r := range b.references() {
		n := float64(b.n) / r.factor
		note := ""
		if r.factor > 1 {
			note = fmt.Sprintf("kubectl on %.0f clusters", n)
		}
		t.against(r.name).note(note).compare("first sync, from process start", unit, s["first total"], per(int(n), s[r.key+" first seconds"]))
	}
	t.value("first sync: start to first write", "s", s["first before"], "")
	t.against("bare loop").note("ours from its start, with reading the repository; the bare loop's process is this program").
		compare("first sync: processor time", "s", s["first processor"], s["bare first processor"])
	t.against("bare loop").compare("first sync: processor time of etcd and kube-apiserver", "s", s["first servers"], s["bare first servers"])
}

func (b *bench) tellRestart() {
	s, t := b.series, b.table
	t.against("bare informer").atMost(1.5).compare("restart: start to ready", "s", s["restart ready"], s["informer synced"])
	t.value("restart: start to first poll", "s", s["restart poll"], "")
	b.tellMemory()
	t.value("memory, a few seconds after a restart: resident", "MiB", s["restart resident"], "")
}

func (b *bench) tellMemory() {
	s, t := b.series, b.table
	t.against("bare informer").atMost(1.5).note("without the programs' own pages: the bare informer's has Flux's engine in it").
		compare("memory, steady: anonymous", "MiB", s["steady anonymous"], s["informer anonymous"])
	t.most(200).value("memory, steady: resident", "MiB", s["steady resident"], "half a minute after the last change")
}

func (b *bench) tellReading() {
	s, t := b.series, b.table
	for _, w := range []struct{ key, work, git string }{
		{"cold", "reading the repository, cold", "git clone --bare"}, {"later", "reading the repository, one commit later", "git fetch"},
	} {
		row := t.against(w.git)
		if w.key == "later" {
			row = row.atMost(1.5)
		}
		row.compare(w.work, "s", s["read "+w.key+" seconds"], s["git "+w.key+" seconds"])
		t.against(w.git).compare(w.work+": on the wire", "MiB", times(1./mebibyte, s["read "+w.key+" bytes"]), times(1./mebibyte, s["git "+w.key+" bytes"]))
		t.against(w.git).note("what reads for us has Flux's engine in it too; see above idle").compare(w.work+": most memory", "MiB", s["read "+w.key+" highest"], s["git "+w.key+" highest"])
	}
	t.most(50).value("reading the repository, one commit later: memory above idle", "MiB", s["read later more"], "")
}

func (b *bench) tellCheck() {
	s, t := b.series, b.table
	t.against("bare yaml.v3 nodes").atLeast(0.5).compare("check", "files/s", per(b.n, s["check seconds"]), per(b.n, s["nodes seconds"]))
	t.against("bare yaml.v3 nodes").note("their program has Flux's engine in it too: "+number(s.median("nodes before"))+" MiB before it reads").
		compare("check: most memory", "MiB", s["check highest"], s["nodes highest"])
}

func (b *bench) tellPolicy() {
	s, t := b.series, b.table
	t.against("bare loop").compare("the provider's group changes for all clusters", "clusters/s", s["update rate"], s["bare update"])
	t.against("bare loop").compare("the provider's group changes: p99 of another client meanwhile", "ms", s["update others"], s["bare others"])
	t.value("the provider's group changes: p99 of another client at rest", "ms", s["idle others"], "")
}

func (b *bench) tellPull() {
	s, t := b.series, b.table
	work := fmt.Sprintf("a pull request edits a group of %d clusters", min(b.n, most))
	t.value(work+": opened to its check", "s", s["pull seconds"], "it is seen at the next poll: half a second on average")
	t.value(work+": requests to the API server", "requests", s["pull requests"], "each a server-side dry run, two a second: most of the time to the check")
	t.value(work+": requests to the Git host", "requests", s["pull forge"], "polls counted")
}
