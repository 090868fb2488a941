package main

import (
	"context"
	"errors"
	"fmt"
	"io"
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

const (
	// seeds is how many reconcilers follow one repository.
	seeds = 3
	// seedsRounds is how many intervals they are watched for.
	seedsRounds = 4
	// together is the repository.
	together = "together"
)

// closedPulls is how many closed pull requests the repository has had: 20,000
// with 10,000 clusters. Of each there is a ref, as hosts keep them, and a poll
// is told of all.
func (b *bench) closedPulls() int { return 2 * b.n }

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
	if err := b.measureRefs(ctx, g, "no refs"); err != nil {
		return err
	}
	if err := b.addPulls(ctx, g, first); err != nil {
		return err
	}
	if err := b.measureRefs(ctx, g, "refs"); err != nil {
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

// addPulls leaves the refs of closed pull requests behind.
func (b *bench) addPulls(ctx context.Context, g *servers.Gitea, head string) error {
	var script strings.Builder
	for i := range b.closedPulls() {
		fmt.Fprintf(&script, "create refs/pull/%d/head %s\n", i+1, head)
	}
	folder := g.Folder(g.Admin.Name, together)
	cmd := gitCommand(ctx, folder, "update-ref", "--stdin")
	cmd.Stdin = strings.NewReader(script.String())
	if _, err := runProgram(cmd); err != nil {
		return err
	}
	return git(ctx, folder, "pack-refs", "--all")
}

// measureRefs asks what a poll asks, by hand.
func (b *bench) measureRefs(ctx context.Context, g *servers.Gitea, what string) error {
	for range 2*b.options.pace.repeats + 1 {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, g.RepoURL(g.Admin.Name, together)+"/info/refs?service=git-upload-pack", nil)
		if err != nil {
			return err
		}
		request.SetBasicAuth(g.Admin.Name, g.Admin.Token)
		began := time.Now()
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		n, err := io.Copy(io.Discard, response.Body)
		if err := errors.Join(err, response.Body.Close()); err != nil || response.StatusCode != http.StatusOK {
			return errors.Join(err, fmt.Errorf("list the refs: %s", response.Status))
		}
		b.series.add(what+" milliseconds", milliseconds(time.Since(began)))
		b.series.add(what+" bytes", float64(n))
	}
	return nil
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
	if err := b.watchPolls(ctx, g, all[0]); err != nil {
		return err
	}
	sha, err := b.seedFiles(ctx, all[0], 1)
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
	return nil
}

// checked waits until each seed has said something of a commit, in a context of
// its own, and none another's.
func (b *bench) checked(ctx context.Context, g *servers.Gitea, p *product, sha string) error {
	client, err := g.Client(ctx, g.Admin)
	if err != nil {
		return err
	}
	return p.Await(ctx, "the checks of all seeds", patience, func(context.Context) error {
		list, _, err := client.ListStatuses(g.Admin.Name, together, sha, sdk.ListStatusesOption{})
		if err != nil {
			return err
		}
		said := map[string]bool{}
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
}

// watchPolls looks at what the Git host is asked while nothing changes.
func (b *bench) watchPolls(ctx context.Context, g *servers.Gitea, p *product) error {
	from := time.Now()
	before, err := p.usage()
	if err != nil {
		return err
	}
	polls := func() []servers.Request {
		return slices.DeleteFunc(g.Meter.Requests(), func(r servers.Request) bool { return r.Time.Before(from) || !isPoll(r) })
	}
	err = p.Await(ctx, "polls of all seeds", patience, func(context.Context) error {
		if n := len(polls()); n < seeds*seedsRounds {
			return fmt.Errorf("%d of %d were made", n, seeds*seedsRounds)
		}
		return nil
	})
	if err != nil {
		return err
	}
	after, err := p.usage()
	if err != nil {
		return err
	}
	seen := polls()
	for round := range slices.Chunk(seen[:seeds*seedsRounds], seeds) {
		b.series.add("seeds spread", round[seeds-1].Time.Sub(round[0].Time).Seconds())
	}
	asked := slices.DeleteFunc(g.Meter.Requests(), func(r servers.Request) bool { return r.Time.Before(from) })
	b.table.value("many seeds: requests to the Git host a poll and seed", "requests", []float64{float64(len(asked)) / float64(len(seen))},
		fmt.Sprintf("%d reconcilers on one repository; what is no poll follows on the first commit", seeds))
	if after.known {
		b.series.add("seeds processor", milliseconds(after.processor-before.processor)/seedsRounds)
	}
	return nil
}
