package apply

import (
	"context"
	"slices"
	"testing"
)

// TestLook has a cluster looked at before and after KKP has done its part, and
// after somebody else's write.
func TestLook(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.ctl.synced = func(context.Context) bool { return true }
	look := func() Seen {
		t.Helper()
		s, err := o.ctl.Look(t.Context(), theCluster)
		if err != nil || !s.Exists || s.ID != theCluster || s.Project != "acmeproj01" {
			t.Fatalf("%+v, %v", s, err)
		}
		return s
	}
	if s := look(); s.Live.Set || !s.Service || len(s.Ranges) > 0 || !s.Carried {
		t.Errorf("before: %+v", s)
	}
	o.look()
	if s := look(); !s.Live.Set || s.Carried {
		t.Errorf("written, and not carried out yet: %+v", s)
	}
	o.settle()
	if s := look(); !slices.Equal(s.Live.CIDRs, []string{"203.0.113.0/24"}) || !slices.Equal(s.Ranges, []string{"203.0.113.0/24"}) || !s.Carried {
		t.Errorf("carried out: %+v", s)
	}
	if words, want := o.state().Words(), "handed to azure"; words != want {
		t.Errorf("%q, want %q", words, want)
	}
}
