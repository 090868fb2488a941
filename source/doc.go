// Package source is the way out of Git: it keeps a mirror of one repository,
// says where the branch is, how it got there, and which files of a commit are
// of interest. It knows nothing of allowlists and nothing of Kubernetes.
//
// # How it is used
//
//	repo, err := source.Open(options)      // opens or makes the mirror; no network
//	head, err := repo.Poll(ctx)            // one ls-remote; a fetch only if needed
//	snap, err := repo.Snapshot(ctx, head)  // the YAML files of a commit, with hashes
//	for _, path := range source.Changed(old, snap) { ... }
//	text, err := repo.Read(ctx, hash)      // a file's content, by hash
//	ok, err := repo.IsAncestor(ctx, accepted, head)
//	err = repo.Verify(ctx, head, verifier, now)  // signed by somebody known?
//	err = repo.Pin(head)                   // accepted: never to be lost again
//
// # The mirror
//
// It is a bare repository with full history and two refs of its own:
// refs/portcullis/head, where the branch was last seen, and
// refs/portcullis/accepted, the commit of the last [Repository.Pin]. Packs and
// refs are written beside their place, synced and renamed, so a crash leaves
// either the old or the new state. Nothing is ever checked out.
//
// Every object is checked against its hash when it is read. A mirror that is
// damaged is made anew from the remote, in a folder beside it that then takes
// its place; the pinned commit is carried over if it can still be read. The
// same is done when packs have piled up. A folder is locked against a second
// process.
//
// # Pull requests
//
//	moved := repo.Pulls().Moved(before)      // as the last poll's listing told; no request
//	pull, err := repo.Pull(ctx, 7, head)     // what it brings, in memory, within bounds
//	laid, err := pull.Lay(ctx, target)       // its files over the target's, and what clashes
//	text, err := pull.Read(ctx, hash)        // a file of laid
//	ok, err := repo.IsAncestor(ctx, head, target)  // is it merged? Squashing leaves no trace
//
// Nothing that a pull request brings gets into the mirror or on disk. Its
// content is anybody's: see [MaxPullBytes] and its neighbours for the bounds,
// and [TooLargeError] for what is told where one is met.
//
// A listing names every ref, those of closed pull requests too. Where there are
// more than 500, later polls over HTTP ask for the branch, for the pull requests
// that [Repository.Follow] says are open, and for the hundred numbers after the
// highest, in one request of Git's protocol of version 2; every sixtieth poll,
// and every poll that a host does not answer so, lists all.
//
// # What a failure means
//
// An error of [Repository.Poll] never means "there are no files". A branch
// that is missing is [ErrNoBranch], an empty repository too. [ErrAuth],
// [ErrHostKey], [ErrNoRepository] need a person; [ErrUnavailable] needs time.
// Whatever fails, the mirror stays as it was.
//
// # Secrets
//
// Credentials are files, read each time they are used, so rotating them takes
// no restart. Errors name the file and never what is in it; URLs are shown
// without user information; answers of servers are cut short and searched for
// the secrets that were sent.
package source
