package forge

import (
	"cmp"
	"context"
	"slices"
)

// PullRequestState is where a pull request is in its life.
type PullRequestState string

// The states of a pull request. A closed one can be opened again.
const (
	PullRequestOpen   PullRequestState = "open"
	PullRequestClosed PullRequestState = "closed"
	PullRequestMerged PullRequestState = "merged"
)

// PullRequest is a request to bring a branch into another: GitLab's merge
// request too.
type PullRequest struct {
	Number int
	State  PullRequestState
	Head   string // full SHA of its newest commit
	// HeadBranch is the branch it comes from, of HeadRepository: owner/name,
	// "#" and a number where the host tells nothing else of a fork, and empty
	// where the fork is gone.
	HeadBranch, HeadRepository string
	Fork                       bool   // from another repository than its target
	Target                     string // branch
	Author                     string // login
	URL                        string // page for people
	// MergeCommit is the commit that brought it into its target; empty before,
	// and where the host does not tell.
	MergeCommit string
}

// PullRequests is what the forges with pull requests can do besides posting
// checks. Errors are as those of Forge.Post: ErrRefused for what is not there,
// RetryAfterError for the host as a whole.
type PullRequests interface {
	Forge
	// OpenPullRequests lists those that are open now and go to the branch
	// target, by number. It costs one request a page, answered in short where
	// the host knows ETags and nothing changed. One that is opened or closed
	// while its pages are read may be missed; the next listing has it right.
	OpenPullRequests(ctx context.Context, target string) ([]PullRequest, error)
	// PullRequest asks for one, whatever its state.
	PullRequest(ctx context.Context, number int) (PullRequest, error)
	// Comment sees to it that the comment stands as wanted, and answers the
	// address of it, empty where there is none.
	Comment(ctx context.Context, c Comment) (url string, err error)
}

// ByNumber sorts pull requests as a listing answers them, and drops those that
// two pages had.
func ByNumber(all []PullRequest) []PullRequest {
	slices.SortStableFunc(all, func(a, b PullRequest) int { return cmp.Compare(a.Number, b.Number) })
	return slices.CompactFunc(all, func(a, b PullRequest) bool { return a.Number == b.Number })
}
