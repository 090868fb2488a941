// Package fault_test breaks everything around Portcullis, one thing at a time,
// while it is at work, and looks at what it promises all the same: the right
// lists everywhere in the end, no list opened or wrong at any moment in between
// (stage.Observer sees each version of each Cluster), no write beyond those
// needed, and the right word on each commit.
//
// Servers are real: etcd and kube-apiserver with KKP's objects, Git over HTTP,
// Gitea. Faults are played by proxies on the way to them (servers.Fault), by a
// disk that is full, and by SIGKILL.
//
// One write more than needed is allowed where a fault may have swallowed the
// answer to one: then nobody can know that it took effect.
//
// `make test` runs all of it in a short form; `make faults` sets
// PORTCULLIS_FAULTS=long, which makes outages a minute long and kills the
// command 200 times, or as often as PORTCULLIS_KILLS says. A failure names its
// seed; PORTCULLIS_SEED repeats it.
package fault_test
