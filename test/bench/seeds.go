package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

const (
	// seeds is how many reconcilers follow one repository.
	seeds = 3
	// seedsRounds is how many intervals they are watched for.
	seedsRounds = 4
	// together is the repository.
	together = "together"
)

// closedPulls is how many closed pull requests the repository has had by the
// end: 20,000 with 10,000 clusters. Of each there is a ref, as hosts keep them.
func (b *bench) closedPulls() int { return 2 * b.n }

// seedsAlone measures many seeds and nothing else.
func (b *bench) seedsAlone(ctx context.Context) (err error) {
	b.say("Gitea starts")
	g, err := servers.StartGitea(ctx)
	if err != nil {
		return err
	}
	return errors.Join(b.manySeeds(ctx, g), g.Stop())
}

// manySeeds has several reconcilers on one repository of a real Gitea.
func (b *bench) manySeeds(ctx context.Context, g *servers.Gitea) (err error) {
	if err := g.CreateRepo(ctx, g.Admin.Name, together); err != nil {
		return err
	}
	var all []*product
	defer func() {
		for _, p := range all {
			err = errors.Join(err, p.close())
		}
	}()
	for i := range seeds {
		p, err := b.anotherSeed(ctx, g, i)
		if err != nil {
			return err
		}
		all = append(all, p)
	}
	first, err := b.seedFiles(ctx, all[0], 0)
	if err != nil {
		return err
	}
	if err := b.hostCosts(ctx, g, first); err != nil {
		return err
	}
	return b.followTogether(ctx, g, all, first)
}

func seedOf(i int) string { return [seeds]string{seedName, "us-east", "ap-south"}[i] }

func (b *bench) anotherSeed(ctx context.Context, g *servers.Gitea, i int) (*product, error) {
	dir := filepath.Join(b.dir, "seed-"+seedOf(i))
	owner := g.Admin.Name
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	s, err := stage.New(ctx, &stage.Seed{Plane: b.plane, Client: b.client}, stage.Options{
		Dir: dir, Binary: b.options.binary, Suffix: fmt.Sprintf("bs%d", i),
		Host: &stage.Host{URL: g.RepoURL(owner, together), CloneURL: g.CloneURL(g.Admin, owner, together), Token: g.Admin.Token},
		Config: func(d stage.Document) {
			d["seed"], d["schedule"] = seedOf(i), "@every "+b.options.pace.seedsPoll.String()
			credentials, _ := d.Source()["credentials"].(map[string]any)
			d.Source()["checks"] = map[string]any{"forge": "gitea", "url": g.URL, "repository": owner + "/" + together,
				"tokenFile": credentials["tokenFile"], "pullRequests": true}
		},
		Policy: func(d stage.Document) {
			b.edit(d, 0)
			known, _ := d["seeds"].(map[string]any)
			for i := range seeds {
				known[seedOf(i)] = map[string]any{"loadBalancer": "metallb"}
			}
		},
	})
	if err != nil {
		return nil, err
	}
	return producing(s, dir)
}

// seedFiles pushes a file for each seed, of one of the spare clusters.
func (b *bench) seedFiles(ctx context.Context, p *product, edition int) (string, error) {
	files := map[string]string{}
	for i := range seeds {
		c := b.spare()[0] + i
		files[b.path(c)] = strings.Replace(b.file(c, edition), "seed: "+seedName, "seed: "+seedOf(i), 1)
	}
	return p.Push(ctx, stage.Commit{Message: "Change all seeds", Write: files})
}

// followTogether starts all at once, watches their polls, and pushes to all.
func (b *bench) followTogether(ctx context.Context, g *servers.Gitea, all []*product, first string) error {
	for _, p := range all {
		if err := p.Run.Start(); err != nil {
			return err
		}
	}
	if err := b.checked(ctx, g, all[0], first); err != nil {
		return err
	}
	if err := b.watchPolls(ctx, g, all); err != nil {
		return err
	}
	for i := range b.options.pace.repeats {
		sha, err := b.seedFiles(ctx, all[0], i+1)
		if err != nil {
			return err
		}
		pushed := time.Now()
		if err := b.checked(ctx, g, all[0], sha); err != nil {
			return err
		}
		took := time.Since(pushed).Seconds()
		b.series.add("seeds checks", took)
		b.say("%d seeds on one repository with %d closed pull requests: all checks after %.1fs", seeds, b.closedPulls(), took)
	}
	return nil
}

// checked waits until each seed has said something of a commit, and fails where
// somebody did in a context that is no seed's.
func (b *bench) checked(ctx context.Context, g *servers.Gitea, p *product, sha string) error {
	client, err := g.Client(ctx, g.Admin)
	if err != nil {
		return err
	}
	said := map[string]bool{}
	err = p.Await(ctx, "the checks of all seeds", patience, func(context.Context) error {
		list, _, err := client.ListStatuses(g.Admin.Name, together, sha, sdk.ListStatusesOption{})
		if err != nil {
			return err
		}
		for _, status := range list {
			said[status.Context] = true
		}
		for i := range seeds {
			if !said["portcullis/"+seedOf(i)] {
				return fmt.Errorf("%s has not said anything", seedOf(i))
			}
		}
		return nil
	})
	if err == nil && len(said) != seeds {
		err = fmt.Errorf("a commit has statuses of others than %d seeds: %v", seeds, said)
	}
	return err
}

// isGit tells what is asked of the repository from what is asked of the forge's
// API.
func isGit(r servers.Request) bool { return isPoll(r) || isFetch(r) }

// watchPolls counts what the Git host is asked while nothing changes. A
// reconciler can poll at most once an interval, so that one request more than
// that is one too many.
func (b *bench) watchPolls(ctx context.Context, g *servers.Gitea, all []*product) error {
	if err := b.onlyPolls(ctx, g, all[0]); err != nil {
		return err
	}
	before, err := processorOf(all)
	if err != nil {
		return err
	}
	from, host := time.Now(), hostProcessor()
	select {
	case <-time.After(seedsRounds * b.options.pace.seedsPoll):
	case <-ctx.Done():
		return ctx.Err()
	}
	asked := g.Meter.Requests()
	asked = slices.DeleteFunc(asked, func(r servers.Request) bool { return r.Time.Before(from) })
	spent := hostProcessor() - host
	after, err := processorOf(all)
	if err != nil {
		return err
	}
	b.table.promise(fmt.Sprintf("many seeds: %d reconcilers, %d intervals: requests to the Git host", seeds, seedsRounds), len(asked), seeds*(seedsRounds+1),
		"one a poll, and one poll in at least an interval: "+gitKinds(asked))
	for _, spread := range roundsOf(asked, b.options.pace.seedsPoll/2) {
		b.series.add("seeds spread", spread.Seconds())
	}
	if after > 0 && len(asked) > 0 {
		b.series.add("seeds processor", milliseconds(after-before)/float64(len(asked)))
		b.series.add("seeds host", milliseconds(spent)/float64(len(asked)))
	}
	return nil
}

// onlyPolls waits until nothing but the repository was asked for during an
// interval: what a commit led to is over.
func (b *bench) onlyPolls(ctx context.Context, g *servers.Gitea, p *product) error {
	from := time.Now()
	return p.Await(ctx, "nothing but polls", patience, func(context.Context) error {
		for _, r := range g.Meter.Requests() {
			if !isGit(r) && r.Time.After(from) {
				from = r.Time
			}
		}
		if left := time.Until(from.Add(2 * b.options.pace.seedsPoll)); left > 0 {
			return fmt.Errorf("something else was asked %s ago", time.Since(from))
		}
		return nil
	})
}

// roundsOf are how far apart the polls of each whole round were: what comes
// within a gap of what was before is of the same.
func roundsOf(asked []servers.Request, gap time.Duration) (out []time.Duration) {
	for len(asked) > 0 {
		n := 1
		for n < len(asked) && asked[n].Time.Sub(asked[n-1].Time) < gap {
			n++
		}
		if n == seeds {
			out = append(out, asked[n-1].Time.Sub(asked[0].Time))
		}
		asked = asked[n:]
	}
	return out
}

// processorOf is the processor time of all; 0 where that is unknown.
func processorOf(all []*product) (sum time.Duration, err error) {
	for _, p := range all {
		u, err := p.usage()
		if err != nil {
			return 0, err
		}
		sum += u.processor
	}
	return sum, nil
}
