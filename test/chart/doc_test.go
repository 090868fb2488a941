// Package chart_test holds the Helm chart of deploy/chart to what it says, with
// the helm program itself (`make tools`, or `go run ./test/tools helm`):
//
//   - it is linted, and rendered with each optional part on and off; wrong values
//     are refused with a message that names them;
//   - deploy/manifests is what it renders (`make manifests` writes it);
//   - on a real kube-apiserver with KKP's CRDs, every object it can make is
//     accepted, its pods by the restricted Pod Security Standard too; a release is
//     installed, the reconciler runs under its account, which may do what is
//     listed here and nothing else, verb by verb; it is upgraded and rolled back, its
//     state broken and restored; and none of that, nor uninstalling, changes a list;
//   - the container image is built by buildah, and run as the chart's pod would be:
//     as no root, on a root file system that cannot be written to;
//   - a release is complete, as its checksums say, and the same bytes in any folder.
//
// There is no kubelet: the reconciler is started by the test, with the arguments
// and files of the chart's pod.
package chart_test
