// Package e2e_test shows what Portcullis promises on real servers: etcd and
// kube-apiserver with KKP's objects (KKP itself is played by a stand-in), Git
// over HTTP, and Gitea. The command under test is built here and runs as a
// process of its own, so it can be stopped, killed and started again.
//
// Starting a control plane takes longer than most tests: all share one, and
// each has an installation of its own on it, with names of its own (package
// stage). Conditions are waited for with a deadline that is far from what they
// take; nothing is ever just slept over. Where something must not happen, the
// test waits until the command has been seen to poll a few more times.
//
// `make test` runs them; see package servers for what happens where servers
// are missing.
package e2e_test
