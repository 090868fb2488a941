// Package servers starts the real servers that tests and the demo run against,
// on loopback, each in a temporary folder of its own:
//
//	StartControlPlane   etcd and kube-apiserver (controller-runtime's envtest)
//	StartGitea          Gitea on SQLite, with an administrator and a token
//	StartGitHTTP        bare repositories over HTTP with a password, by git http-backend
//
// Nothing here is a stand-in, and nothing is downloaded: the programs are the
// ones that `make tools` built, or those of KUBEBUILDER_ASSETS. Functions
// return errors rather than fail a test, for the demo calls them too. In a
// test, the ones that take a TB skip where a program is missing and stop the
// server at the test's end:
//
//	plane := servers.ControlPlaneFor(t, servers.ControlPlaneOptions{})
//	gitea := servers.GiteaFor(t)
//
// What is asked of Gitea and of GitHTTP is counted by a Meter, which can also
// play the server that is away. What is asked of a kube-apiserver is in its
// audit log, see ControlPlaneOptions.Audit.
//
// The environment variable PORTCULLIS_TEST_SERVERS decides about tests that
// need a server: "none" skips them even where the programs are there (unit
// tests), "required" fails instead of skipping (CI), anything else runs them
// if it can.
package servers
