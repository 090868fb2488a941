package lint

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/portcullis-gitops/portcullis/render/document"
)

// Kind says which part of the files or of the policy an entry is from.
type Kind string

// The origins of an entry.
const (
	FromEntry      Kind = "entry"
	FromGroup      Kind = "group"
	FromNodeEgress Kind = "nodeEgress"
	FromPlatform   Kind = "platform"
)

// Entry is one prefix with its provenance.
type Entry struct {
	Prefix      netip.Prefix `json:"prefix"`
	Expires     time.Time    `json:"expires,omitzero"` // first moment it no longer counts; zero: never
	Kind        Kind         `json:"kind"`
	Description string       `json:"description,omitempty"`
	Owner       string       `json:"owner,omitempty"`
	Ticket      string       `json:"ticket,omitempty"`
	Group       string       `json:"group,omitempty"` // vpn, provider/noc
	Path        string       `json:"path,omitempty"`  // file of the prefix itself; empty for the provider's
	Line        int32        `json:"line,omitempty"`
	Column      int32        `json:"column,omitempty"`
	// At is where the allowlist itself brings the entry in: the prefix, or the
	// name of the group it is from.
	At document.Pos `json:"-"`
	// Undated is set where the entry has an end that cannot be read: whether it is
	// in force is not known.
	Undated bool `json:"-"`
}

// Expired tells whether the entry no longer counts at the given moment.
func (e Entry) Expired(now time.Time) bool {
	return !e.Expires.IsZero() && !now.Before(e.Expires)
}

// counts tells whether it is certain that the entry lets somebody in.
func (e Entry) counts(now time.Time) bool { return !e.Undated && !e.Expired(now) }

// Own tells whether the entry is the tenant's own choice of who gets in:
// neither the provider's platform nor the cluster's nodes.
func (e Entry) Own() bool { return e.Kind == FromEntry || e.Kind == FromGroup }

// at is where the prefix itself stands, in a tenant's file.
func (e Entry) at() string { return fmt.Sprintf("%s:%d:%d", e.Path, e.Line, e.Column) }
