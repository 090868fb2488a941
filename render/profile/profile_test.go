package profile_test

import (
	"slices"
	"testing"

	"github.com/portcullis-gitops/portcullis/render/profile"
)

func TestTable(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name     string
		enforces profile.Answer
		ipv6     profile.Answer
		absent   profile.Absence
		entries  int // that fit; 0: no known limit
		sharedBy profile.Sharing
	}{
		{"aws-nlb", "yes", "no", "denied", 20, "seed"},
		{"aws-lbc", "yes", "dual-stack", "denied", 20, "cluster"},
		{"aws-elb", "no", "unknown", "open", 0, ""},
		{"azure", "yes", "yes", "denied", 4000, "seed"},
		{"gke", "yes", "yes", "open", 5000, "cluster"},
		{"openstack-octavia", "yes", "dual-stack", "denied", 33, "seed"},
		{"openstack-ovn", "no", "unknown", "open", 100, "seed"},
		{"hetzner", "no", "unknown", "open", 0, ""},
		{"digitalocean", "yes", "unknown", "unknown", 0, ""},
		{"scaleway", "yes", "yes", "denied", 0, ""},
		{"linode", "no", "unknown", "open", 0, ""},
		{"exoscale", "no", "unknown", "open", 0, ""},
		{"metallb", "yes", "yes", "open", 0, ""},
		{"kube-vip", "yes", "yes", "open", 0, ""},
		{"cilium", "yes", "yes", "denied", 0, ""},
		{"generic", "unknown", "unknown", "unknown", 0, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p, ok := profile.Get(row.name)
			if !ok {
				t.Fatal("is not in the table")
			}
			got := []any{p.Name, p.Enforces, p.IPv6, p.AbsentFamily, p.Budget.Entries(), p.Budget.SharedBy}
			want := []any{row.name, row.enforces, row.ipv6, row.absent, row.entries, row.sharedBy}
			if !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

// What is true of every row, those added later included.
func TestRowsAreComplete(t *testing.T) {
	t.Parallel()
	names := profile.Names()
	for i, name := range names {
		p, ok := profile.Get(name)
		if !ok || p.Name != name || slices.Contains(names[:i], name) {
			t.Errorf("%s: cannot be looked up by its name alone", name)
		}
		if p.Enforces == "" || p.IPv6 == "" || p.AbsentFamily == "" || p.Merge != profile.None {
			t.Errorf("%s: a field is missing, or merges without a known reason: %+v", name, p)
		}
		if b := p.Budget; b.Known() != (b.PerEntry > 0) || b.Known() != (b.SharedBy != "") {
			t.Errorf("%s: half a budget: %+v", name, b)
		}
	}
}

func TestGetUnknown(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "AWS-NLB", "aws", profile.Custom} {
		if p, ok := profile.Get(name); ok {
			t.Errorf("%q: got %+v", name, p)
		}
	}
}

func TestCallersCannotChangeTheTable(t *testing.T) {
	t.Parallel()
	p, _ := profile.Get("gke")
	p.Budget.Rules = 1
	names := profile.Names()
	names[0] = "changed"
	if again, _ := profile.Get("gke"); again.Budget.Rules == 1 || profile.Names()[0] == "changed" {
		t.Error("a caller changed what others see")
	}
}

func TestBudget(t *testing.T) {
	t.Parallel()
	b := profile.Budget{Rules: 60, PerEntry: 3, SharedBy: profile.PerSeed}
	if b.Entries() != 20 || b.Used(7) != 21 || !b.Known() {
		t.Errorf("60 rules at 3 an entry: %d entries, 7 entries use %d", b.Entries(), b.Used(7))
	}
	if none := (profile.Budget{}); none.Entries() != 0 || none.Known() {
		t.Error("the zero budget is no limit")
	}
}
