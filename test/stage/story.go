package stage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// patience is how long each thing in the story may take. What it takes is a
// second or two; the rest is for machines that do other things as well.
const patience = 90 * time.Second

// Teller is told how the story goes.
type Teller interface {
	// Say is what happens, or what was seen to hold.
	Say(format string, args ...any)
	// Show is what a program printed, below a caption.
	Show(caption, text string)
}

// Step is a part of the story.
type Step struct {
	Title string
	// Play does what the title says and fails where it does not come out so.
	Play func(ctx context.Context, t Teller) error
}

// Story is a day in the life of a stage on which nothing has happened yet, and
// whose repository is its own. Each step needs those before it.
func Story(s *Stage) []Step {
	y := &story{Stage: s}
	return []Step{
		{"A first commit restricts every cluster it can", y.firstSync},
		{"A change is pushed", y.change},
		{"A mistake is held, and is nobody else's", y.mistake},
		{"The list is overwritten in KKP's dashboard", y.overwrite},
		{"A file is removed, and nothing opens", y.removal},
		{"A cluster moves to a load balancer of its own", y.migration},
	}
}

type story struct {
	*Stage
	first string // commit
}

func (y *story) firstSync(ctx context.Context, t Teller) error {
	sha, err := y.Populate(ctx)
	if err != nil {
		return err
	}
	y.first = sha
	t.Say("7 clusters of 3 tenants; the files of examples/tenants are pushed as %s", short(sha))
	if err := y.Run.Start(); err != nil {
		return err
	}
	t.Say("portcullis run is started")
	err = y.Await(ctx, "the lists", patience, all(
		y.InForce(ShopProd, ProdList()...), y.InForce(ShopStaging, StagingList()...), y.InForce(ShopDev, StagingList()...),
		y.InForce(Billing, BillingList()...), y.Absent(Reports),
		y.HasList(Edge, InitechList()...), y.HasList(Lab, InitechList()...)))
	if err != nil {
		return err
	}
	t.Say("shop-prod, shop-staging, shop-dev, billing: the load balancer lets in their lists alone")
	t.Say("edge (paused), lab (no namespace yet): the list is written and waits for KKP")
	if err := y.checked(ctx, t, sha, Failure, "unsupported-expose-strategy", Tenants+"/"+GlobexProject+"/api.yaml:", Reports); err != nil {
		return err
	}
	t.Say("reports is exposed by NodePort, which knows no lists: the commit says so, and only that")
	return nil
}

func (y *story) change(ctx context.Context, t Teller) error {
	sha, err := y.Edit(ctx, "Let the Graz office in", "acme/staging.yaml", "    - group: vpn",
		"    - {description: Graz office, owner: netops@acme.example, cidr: 192.0.2.96/28}\n    - group: vpn")
	if err != nil {
		return err
	}
	t.Say("acme lets 192.0.2.96/28 into shop-staging and shop-dev: %s", short(sha))
	want := append(StagingList(), "192.0.2.96/28")
	err = y.Await(ctx, "the change", patience, all(y.InForce(ShopStaging, want...), y.InForce(ShopDev, want...)))
	if err != nil {
		return err
	}
	t.Say("both load balancers let it in")
	return y.checked(ctx, t, sha, Success, "shop-staging ("+ShopStaging+"): Synced")
}

func (y *story) mistake(ctx context.Context, t Teller) error {
	const path = "acme/production.yaml"
	bad, err := y.Edit(ctx, "Let the data centre in", path, "203.0.113.0/24", "10.0.0.1/8")
	if err != nil {
		return err
	}
	place, err := y.Place(path, "10.0.0.1/8")
	if err != nil {
		return err
	}
	t.Say("acme mistypes a prefix for shop-prod: %s", short(bad))
	if err := y.checked(ctx, t, bad, Failure, place+": error[host-bits]"); err != nil {
		return err
	}
	if err := y.other(ctx, t); err != nil {
		return err
	}
	if err := all(y.InForce(ShopProd, ProdList()...), y.Noted(bad, Failure, place))(ctx); err != nil {
		return err
	}
	t.Say("shop-prod keeps the list that it had")
	good, err := y.Edit(ctx, "Mend the prefix of the data centre", path, "10.0.0.1/8", "203.0.113.0/24")
	if err != nil {
		return err
	}
	t.Say("acme corrects it: %s", short(good))
	return y.checked(ctx, t, good, Success)
}

// other is the next commit of another tenant.
func (y *story) other(ctx context.Context, t Teller) error {
	sha, err := y.Edit(ctx, "Let the auditors in", GlobexProject+"/api.yaml", "    - {description: build servers",
		"    - {description: auditors, owner: it@globex.example, cidr: 203.0.113.128/26}\n    - {description: build servers")
	if err != nil {
		return err
	}
	t.Say("meanwhile globex lets its auditors in: %s", short(sha))
	want := append(BillingList(), "203.0.113.128/26")
	if err := y.Await(ctx, "globex' change", patience, y.InForce(Billing, want...)); err != nil {
		return err
	}
	return y.checked(ctx, t, sha, Success, "billing ("+Billing+"): Synced")
}

func (y *story) overwrite(ctx context.Context, t Teller) error {
	if err := y.Dashboard(ctx, ShopProd, "0.0.0.0/0"); err != nil {
		return err
	}
	t.Say("somebody saves 0.0.0.0/0 as the list of shop-prod")
	if err := y.Await(ctx, "the list to be put back", patience, y.InForce(ShopProd, ProdList()...)); err != nil {
		return err
	}
	t.Say("the list is put back")
	var event string
	err := y.Await(ctx, "the event", patience, func(ctx context.Context) error {
		events, err := y.Events(ctx, ShopProd)
		if i := slices.IndexFunc(events, func(e string) bool { return strings.Contains(e, "0.0.0.0/0") }); i >= 0 {
			event = events[i]
			return nil
		}
		return errors.Join(err, fmt.Errorf("none tells of 0.0.0.0/0: %q", events))
	})
	if err != nil {
		return err
	}
	t.Show("the Event that the dashboard shows:", event)
	for _, word := range []string{Tenants + "/acme/production.yaml", "kubermatic-api"} {
		if !strings.Contains(event, word) {
			return fmt.Errorf("the event does not name %s", word)
		}
	}
	return nil
}

func (y *story) removal(ctx context.Context, t Teller) error {
	sha, err := y.Push(ctx, Commit{Message: "Remove staging", Remove: []string{"acme/staging.yaml"}})
	if err != nil {
		return err
	}
	t.Say("acme removes the file of shop-staging and shop-dev: %s", short(sha))
	if err := y.checked(ctx, t, sha, Failure, "removed-allowlist", Tenants+"/acme/staging.yaml:"); err != nil {
		return err
	}
	want := append(StagingList(), "192.0.2.96/28")
	if err := all(y.InForce(ShopStaging, want...), y.InForce(ShopDev, want...))(ctx); err != nil {
		return err
	}
	t.Say("both clusters keep their last lists")
	return nil
}

func (y *story) migration(ctx context.Context, t Teller) error {
	if err := y.Switch(ctx, Reports, "LoadBalancer"); err != nil {
		return err
	}
	t.Say("KKP's operator switches reports to LoadBalancer")
	if err := y.Await(ctx, "the list of reports", patience, y.InForce(Reports, ReportsList()...)); err != nil {
		return err
	}
	t.Say("its list, known since the first commit, is in force")
	return y.checked(ctx, t, y.first, Success, "reports ("+Reports+"): Synced")
}

// checked waits until a commit's note says this, and shows it.
func (y *story) checked(ctx context.Context, t Teller, sha, state string, words ...string) error {
	if err := y.Await(ctx, "the check of "+short(sha), patience, y.Noted(sha, state, words...)); err != nil {
		return err
	}
	note, err := y.Note(ctx, sha)
	if err == nil {
		t.Show("git notes --ref="+NotesRef+" show "+short(sha), note)
	}
	return err
}

// short is a commit as people write it.
func short(sha string) string { return sha[:min(len(sha), 10)] }
