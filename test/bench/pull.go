package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// pulls is an installation on a Gitea, where one tenant has many clusters, all
// of which use one group.
type pulls struct {
	*bench
	*product
	gitea    *servers.Gitea
	client   *sdk.Client
	clusters int
}

// fleet is the tenant, and the repository.
const fleet, fleetRepository = "fleet", "fleet"

// pullRequest measures pull requests that edit a group of up to 1,000 clusters.
func (b *bench) pullRequest(ctx context.Context) (err error) {
	b.say("Gitea starts")
	g, err := servers.StartGitea(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Stop()) }()
	p := &pulls{bench: b, gitea: g, clusters: min(b.n, most)}
	if err := p.install(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.product.close()) }()
	if err := p.follow(ctx); err != nil {
		return fmt.Errorf("%w; the last that portcullis logged: %s", err, p.lastLines())
	}
	return errors.Join(p.product.close(), b.manySeeds(ctx, g))
}

func (p *pulls) install(ctx context.Context) error {
	var err error
	if p.client, err = p.gitea.Client(ctx, p.gitea.Admin); err != nil {
		return err
	}
	owner := p.gitea.Admin.Name
	if err := p.gitea.CreateRepo(ctx, owner, fleetRepository); err != nil {
		return err
	}
	dir := filepath.Join(p.dir, "pulls")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	s, err := stage.New(ctx, &stage.Seed{Plane: p.plane, Client: p.bench.client}, stage.Options{
		Dir: dir, Binary: p.options.binary, Suffix: "bpr",
		Host: &stage.Host{URL: p.gitea.RepoURL(owner, fleetRepository), CloneURL: p.gitea.CloneURL(p.gitea.Admin, owner, fleetRepository), Token: p.gitea.Admin.Token},
		Config: func(d stage.Document) {
			d["apply"] = map[string]any{"rate": 0}
			credentials, _ := d.Source()["credentials"].(map[string]any)
			d.Source()["checks"] = map[string]any{"forge": "gitea", "url": p.gitea.URL, "repository": owner + "/" + fleetRepository,
				"tokenFile": credentials["tokenFile"], "pullRequests": true}
		},
		Policy: func(d stage.Document) {
			p.edit(d, 0)
			d["tenants"] = map[string]any{fleet: map[string]any{"projects": p.projects()}}
		},
	})
	if err != nil {
		return err
	}
	p.product, err = producing(s, dir)
	return err
}

func (p *pulls) projects() (out []any) {
	for i := 0; i < p.clusters; i += perTenant {
		out = append(out, p.project(i))
	}
	return out
}

// follow has the fleet's lists written, and then a few pull requests judged.
func (p *pulls) follow(ctx context.Context) error {
	if _, err := p.Push(ctx, stage.Commit{Message: "Keep our allowlists in Git", Write: map[string]string{
		fleet + "/office.yaml": group(0), fleet + "/all.yaml": allOfThem}}); err != nil {
		return err
	}
	if err := p.Run.Start(); err != nil {
		return err
	}
	if err := p.Await(ctx, "the fleet's lists", p.forAll(), p.wrote(p.clusters)); err != nil {
		return err
	}
	for i := range p.options.pace.repeats {
		if err := p.propose(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

const allOfThem = `apiVersion: portcullis.dev/v1alpha1
kind: Allowlist
metadata: {name: all}
spec:
  seed: eu-west
  clusterSelector: {}
  nodeEgress: [198.51.100.40]
  entries:
    - group: office
    - group: provider/noc
`

// group is the fleet's, in an edition.
func group(edition int) string {
	return fmt.Sprintf(`apiVersion: portcullis.dev/v1alpha1
kind: AddressGroup
metadata: {name: office}
spec:
  entries:
    - {description: office, cidr: 203.0.113.0/24}
    - {description: contractor, cidr: 192.0.2.%d}
`, 64+edition)
}

// propose opens a pull request, and waits until its check has succeeded.
func (p *pulls) propose(ctx context.Context, i int) error {
	branch := fmt.Sprintf("contractor-%d", i)
	file := filepath.Join(p.Work, stage.Tenants, fleet, "office.yaml")
	if err := git(ctx, p.Work, "checkout", "--quiet", "-b", branch, "main"); err != nil {
		return err
	}
	if err := os.WriteFile(file, []byte(group(i+1)), 0o644); err != nil {
		return err
	}
	if err := errors.Join(git(ctx, p.Work, "commit", "--quiet", "--all", "--message", "Let another contractor in"),
		git(ctx, p.Work, "push", "--quiet", "origin", branch)); err != nil {
		return err
	}
	var pull *sdk.PullRequest
	var opened time.Time                                                                      // before the answer is here, it may be seen already
	err := stage.Await(ctx, "the pull request", patience, func(context.Context) (err error) { // Gitea learns of branches in the background
		opened = time.Now()
		pull, _, err = p.client.CreatePullRequest(p.gitea.Admin.Name, fleetRepository, sdk.CreatePullRequestOption{Head: branch, Base: "main", Title: branch})
		return err
	})
	if err != nil {
		return err
	}
	return p.judged(ctx, pull.Head.Sha, opened)
}

// judged waits for a check, and notes what it took.
func (p *pulls) judged(ctx context.Context, sha string, opened time.Time) error {
	var last time.Time
	posted := func(r servers.Request) bool {
		return r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/statuses/"+sha)
	}
	err := p.Await(ctx, "the check of the pull request", patience, func(context.Context) error {
		all := p.gitea.Meter.Requests()
		i := lastIndex(all, posted)
		if i < 0 {
			return errors.New("no status was posted")
		}
		last = all[i].Time
		status, _, err := p.client.GetCombinedStatus(p.gitea.Admin.Name, fleetRepository, sha)
		if err == nil && status.State != sdk.StatusSuccess {
			err = fmt.Errorf("the status is %s", status.State)
		}
		return err
	})
	if err != nil {
		return err
	}
	events, err := p.trail.events(p.User, opened, last)
	if err != nil {
		return err
	}
	s := p.series
	s.add("pull seconds", last.Sub(opened).Seconds())
	s.add("pull requests", float64(len(events)))
	s.add("pull writes", float64(len(writes(events))))
	s.add("pull forge", float64(len(p.between(opened, last))))
	p.say("a pull request that edits a group of %d clusters: %.1fs to the check; %s", p.clusters, last.Sub(opened).Seconds(), kinds(events))
	return nil
}

// between are the requests to Gitea after a moment and up to another. Nobody
// but the command makes any then.
func (p *pulls) between(from, until time.Time) []servers.Request {
	return slices.DeleteFunc(p.gitea.Meter.Requests(), func(r servers.Request) bool {
		return !r.Time.After(from) || r.Time.After(until)
	})
}

func lastIndex(all []servers.Request, match func(servers.Request) bool) int {
	for i := len(all) - 1; i >= 0; i-- {
		if match(all[i]) {
			return i
		}
	}
	return -1
}
