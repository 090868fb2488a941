// Package console serves the pages on which people see what is in force on a
// seed, and why. It only reads.
//
//	GET  /                              the fleet, worst first: ?q= &state= &tenant= &datacenter= &expires=soon &page=
//	GET  /clusters/ID                   one cluster: what is let in and by which line of which file
//	GET  /explain?cluster=ID&address=A  whether an address is let in, as `portcullis explain` says it
//	GET  /revisions/SOURCE/SHA          what a commit, or a pull request's head, means
//	GET  /draft                         a list to write; POST judges it, and keeps nothing
//	GET  /api/v1/status                 `portcullis status -o json`
//	GET  /api/v1/clusters/ID            the same as the page, for programs; likewise
//	GET  /api/v1/explain, /api/v1/revisions/SOURCE/SHA
//
// Data goes one way. The reconciler's loop leaves a World, values that nobody
// changes afterwards; an index is made of it when somebody asks and it is
// another one by then, at most so often (see board). No request waits for the
// loop, and none holds anything that the loop waits for; how many are answered a
// second, and made at once, is bounded (see paced and slots). A replica that stands by
// is given the same from what the leader wrote down, at most some seconds old; of
// pull requests, and of what commits were told, only the leader knows. Each page
// says of when it is what it shows, and each answer in its Last-Modified.
//
// # Who sees what
//
// Whoever reaches the address sees everything, unless the Config names a header
// in which an authenticating proxy tells the viewer's projects. Then a request
// counts for nothing without proof that it comes by way of that proxy (see
// Access), and shows the clusters of those projects alone. All that a viewer can
// be shown is made from a World that was narrowed to his projects first (see
// World.narrow): what is not in it cannot be found by any path, parameter or
// message. A cluster of somebody else's is answered as one that is not there.
//
// Pages are made by html/template, so that nothing from Git, KKP or a request is
// ever markup; a content-security policy without inline code, and no address but
// our own, is the second line.
package console
