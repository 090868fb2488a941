// Package rights_test holds the manifests of deploy/manifests to what they say,
// on a real kube-apiserver with KKP's CRDs:
//
//   - the roles give each command the verbs that it uses, and no other: what the
//     audit log has of the real command is compared with the rules, both ways;
//   - the two admission policies let through and refuse what they should, while
//     a mutating policy sets defaults anew on every write, as KKP's webhook does;
//   - no secret comes out of the command anywhere (canaries).
//
// `make test` runs them; see package servers for what happens where servers
// are missing.
package rights_test
