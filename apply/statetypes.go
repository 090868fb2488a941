package apply

import (
	"time"

	"github.com/portcullis-gitops/portcullis/render"
)

// SourceState is what must outlive the process of one source. The zero value
// of each field but Name is "nothing known".
type SourceState struct {
	Name string `json:"name"` // of the source in the Config
	// URL and Branch are where Accepted is from, Path and Tenant where its files
	// were read: the Config may say something else by now.
	URL    string `json:"url,omitempty"`
	Branch string `json:"branch,omitempty"`
	Path   string `json:"path,omitempty"`
	Tenant string `json:"tenant,omitempty"`

	Seed string `json:"seed,omitempty"`

	// Accepted is the newest commit that was judged and is followed, Since
	// when it was taken up.
	Accepted string      `json:"accepted,omitempty"`
	Since    time.Time   `json:"since,omitzero"`
	Held     *HeldCommit `json:"held,omitempty"`
	// Holds are the tenants whose lists do not follow Accepted, by tenant.
	Holds []TenantHold `json:"holds,omitempty"`
	// Approved is the last approval that was acted upon.
	Approved *Approval `json:"approved,omitempty"`
	// Refused are the paths of the files that were refused at Accepted.
	Refused []string `json:"-"`
	// Overdue are those of them with lines that had expired when they were added,
	// see render.Plan.Overdue.
	Overdue []string `json:"-"`
	// Commits are those whose check may still change, oldest first.
	Commits []CommitRecord `json:"commits,omitempty"`
	// SeedRanges are the Seed's own, as last known.
	SeedRanges render.SeedRanges `json:"seedRanges,omitzero"`
	// Balancer is the seed's load balancer, as the policy last had it.
	Balancer Balancer `json:"balancer,omitzero"`
	// Notices are what the seed's operator should know, one line each.
	Notices []string `json:"notices,omitempty"`

	// Claims are who has a cluster that more than one list claims.
	Claims map[string]render.Claim `json:"-"`
	// Deviations are the clusters whose state does not follow from the live
	// objects, by ID.
	Deviations map[string]Deviation `json:"-"`
	// Force are prints of what the clusters of each tenant are to carry, see
	// render.Plan.Force.
	Force map[string]string `json:"-"`
	// Resting are the times by hand of clusters that are in no plan, by ID, of
	// all sources: they do not begin anew when a plan has the cluster again.
	Resting map[string]Standing `json:"-"`
	// Kept are the clusters on which the source's lists are kept, by tenant, see
	// render.Plan.Kept: 17 bytes each.
	Kept map[string][]string `json:"-"`
	// Stale are the clusters whose kept list counts no more, though it is
	// written down still: it goes with the next write of those.
	Stale []string `json:"stale,omitempty"`
	// Pulls are the pull requests that are followed, by number.
	Pulls map[string]PullRecord `json:"-"`
	// Tenants are, by project, the tenants where the names differ.
	Tenants map[string]string `json:"-"`
}

// HeldCommit is a commit that is not followed without approval.
type HeldCommit struct {
	Commit string `json:"commit"`
	Reason string `json:"reason"`
	// Mass says that it goes too far at once: approving it is approving that.
	Mass  bool      `json:"mass,omitempty"`
	Since time.Time `json:"since,omitzero"`
}

// TenantHold is a tenant whose lists are kept from going too far at once.
type TenantHold struct {
	// Tenant is empty where all tenants together went too far.
	Tenant string `json:"tenant,omitempty"`
	// Commit is the newest that asks for what is held: what `portcullis
	// approve` names.
	Commit   string    `json:"commit"`
	Reason   string    `json:"reason"`
	Since    time.Time `json:"since,omitzero"`
	Clusters int       `json:"clusters"` // how many are held
}

// PullRecord is what must outlive the process of a pull request.
type PullRecord struct {
	Head    string `json:"head,omitempty"`
	Check   string `json:"check,omitempty"`   // content of the check that was delivered
	Comment string `json:"comment,omitempty"` // what the comment says, by content
	URL     string `json:"url,omitempty"`     // of the comment
	Merged  string `json:"merged,omitempty"`  // the commit that brought it in
	// Told is the commit whose outcome the comment tells: the one that brought it
	// in, or the one that was judged in its place.
	Told string `json:"told,omitempty"`
}

// CommitRecord is what a commit's check follows from.
type CommitRecord struct {
	SHA  string `json:"sha"`
	Base string `json:"base,omitempty"` // the commit that was judged before it
	// Clusters are those of whose list it was the newest to set.
	Clusters []string `json:"clusters,omitempty"`
	// Tenants are whose those were then: what is another's by now is not told.
	Tenants []string `json:"tenants,omitempty"`
	// Delivered is the hash of the final check that was delivered; empty until
	// then.
	Delivered string `json:"delivered,omitempty"`
	// Sending is the hash of a check that was offered after Delivered and is not
	// known to have arrived: the Git host may have either.
	Sending string `json:"sending,omitempty"`
	// Held is why the commit is not followed; empty where it is.
	Held string `json:"held,omitempty"`
	// State is the verdict of that check.
	State string `json:"state,omitempty"`
	// Superseded is the commit that was judged in its place, where it was
	// skipped.
	Superseded string `json:"superseded,omitempty"`
}

// Deviation is a cluster's state that a restart could not find out again.
type Deviation struct {
	// State is empty where it follows from the objects all the same, and only
	// what stands besides does not.
	State   State     `json:"state"`
	Message string    `json:"message,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	Tenant  string    `json:"tenant,omitempty"`
	// Standing is what outlasts the state; nil if there is nothing.
	Standing *Standing `json:"standing,omitempty"`
}

// Retained is the last good list of a cluster whose list no longer follows
// from the accepted commit: its file is refused or removed.
type Retained = render.Retained
