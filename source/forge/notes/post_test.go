package notes_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/source/forge/notes"
)

func TestNoteIsReadByGitAndReplaced(t *testing.T) {
	t.Parallel()
	dir, commits := bare(t, 2)
	r := &remote{dir: dir}
	f := open(t, r, nil)
	c := check(commits[0], forge.Failure, "acme/list.yaml:3:9\nerror")
	c.Body = "acme/list.yaml:3:9: error[host-bits]: 10.0.0.1/8\n    fix: 10.0.0.0/8\nqvjdddt72t: Held"
	post(t, f, c)
	equal(t, "note", show(t, dir, commits[0]), "failure portcullis/eu-west: acme/list.yaml:3:9 error\n"+c.Body+"\n")
	post(t, f, check(commits[0], forge.Success, "applied"))
	equal(t, "note", show(t, dir, commits[0]), "success portcullis/eu-west: applied\n")
	equal(t, "log", run(t, dir, "log", "--format=%an <%ae> %cn %ct %s", ref), fmt.Sprintf(
		"Portcullis <portcullis@localhost> Portcullis 1795377600 portcullis/eu-west: success on %.12[1]s\n"+
			"Portcullis <portcullis@localhost> Portcullis 1795377600 portcullis/eu-west: failure on %.12[1]s\n", commits[0]))
	equal(t, "requests", r.counts(), "1 fetches, 2 pushes")
	run(t, dir, "fsck", "--strict", "--full")
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	dir, commits := bare(t, 1)
	f := open(t, &remote{dir: dir}, func(o *notes.Options) { o.Name, o.Email = "Gate", "gate@example.com" })
	post(t, f, check(commits[0], forge.Success, "applied"))
	equal(t, "author", run(t, dir, "log", "--format=%an <%ae>", ref), "Gate <gate@example.com>\n")
}

func TestManyNotesAreOnePush(t *testing.T) {
	t.Parallel()
	dir, commits := bare(t, 100)
	r := &remote{dir: dir}
	var checks []forge.Check
	for _, c := range commits {
		checks = append(checks, check(c, forge.Success, "superseded by "+commits[99]))
	}
	post(t, open(t, r, nil), checks...)
	equal(t, "requests", r.counts(), "1 fetches, 1 pushes")
	equal(t, "commits of notes", run(t, dir, "rev-list", "--count", ref), "1\n")
	equal(t, "notes", strings.Count(run(t, dir, "notes", "--ref", ref, "list"), "\n"), 100)
}

func TestEqualNoteIsNotWritten(t *testing.T) {
	t.Parallel()
	dir, commits := bare(t, 1)
	r := &remote{dir: dir}
	post(t, open(t, r, nil), check(commits[0], forge.Success, "applied"))
	post(t, open(t, r, nil), check(commits[0], forge.Success, "applied")) // as after a restart without its data
	equal(t, "requests", r.counts(), "2 fetches, 1 pushes")
}

func TestRestartGoesOnFromItsFolder(t *testing.T) {
	t.Parallel()
	dir, commits := bare(t, 2)
	r, cache := &remote{dir: dir}, filepath.Join(t.TempDir(), "below", "notes")
	for i, c := range commits {
		f := open(t, r, func(o *notes.Options) { o.Dir = cache })
		post(t, f, check(c, forge.Success, fmt.Sprint(i)))
	}
	equal(t, "first", show(t, dir, commits[0]), "success portcullis/eu-west: 0\n")
	equal(t, "second", show(t, dir, commits[1]), "success portcullis/eu-west: 1\n")
	equal(t, "commits of notes", run(t, dir, "rev-list", "--count", ref), "2\n")
}

func TestTwoSeedsKeepOutOfEachOthersWay(t *testing.T) {
	t.Parallel()
	dir, commits := bare(t, 20)
	var seeds sync.WaitGroup
	for _, seed := range []string{"eu-west", "us-east"} {
		f := open(t, &remote{dir: dir}, func(o *notes.Options) { o.Ref = "refs/notes/portcullis/" + seed })
		seeds.Go(func() {
			for _, c := range commits {
				if err := errors.Join(f.Post(t.Context(), []forge.Check{{Commit: c, Context: "portcullis/" + seed, State: forge.Success, Title: "applied"}})...); err != nil {
					t.Error(err)
				}
			}
		})
	}
	seeds.Wait()
	for _, seed := range []string{"eu-west", "us-east"} {
		for _, c := range commits {
			equal(t, "note", run(t, dir, "notes", "--ref=portcullis/"+seed, "show", c), "success portcullis/"+seed+": applied\n")
		}
	}
}

// Another writer of the same ref, which git itself is here, wins every other
// race. All it wrote and all we wrote has to be there in the end.
func TestLostRaceLosesNothing(t *testing.T) {
	t.Parallel()
	dir, commits := bare(t, 6)
	r := &remote{dir: dir}
	foreign := 3
	r.before = func() {
		if foreign < 6 {
			run(t, dir, "notes", "--ref", ref, "add", "-m", "foreign", commits[foreign])
			foreign++
		}
	}
	f := open(t, r, nil)
	for _, c := range commits[:3] {
		post(t, f, check(c, forge.Success, "applied"))
	}
	for _, c := range commits[:3] {
		equal(t, "ours", show(t, dir, c), "success portcullis/eu-west: applied\n")
	}
	for _, c := range commits[3:] {
		equal(t, "theirs", show(t, dir, c), "foreign\n")
	}
	equal(t, "commits of notes", run(t, dir, "rev-list", "--count", ref), "6\n")
}

func TestManyWritersOfOneRef(t *testing.T) {
	t.Parallel()
	dir, commits := bare(t, 12)
	var writers sync.WaitGroup
	for w := range 3 {
		f := open(t, &remote{dir: dir}, nil)
		writers.Go(func() {
			for _, c := range commits[w*4 : w*4+4] {
				for errors.Join(f.Post(t.Context(), []forge.Check{check(c, forge.Success, "applied")})...) != nil {
					if t.Context().Err() != nil {
						return
					}
				}
			}
		})
	}
	writers.Wait()
	for _, c := range commits {
		equal(t, "note", show(t, dir, c), "success portcullis/eu-west: applied\n")
	}
}

func TestAnswerLostOnItsWayBack(t *testing.T) {
	t.Parallel()
	dir, commits := bare(t, 1)
	r := &lossy{remote: remote{dir: dir}}
	post(t, open(t, r, nil), check(commits[0], forge.Success, "applied"))
	equal(t, "commits of notes", run(t, dir, "rev-list", "--count", ref), "1\n")
}

func TestRemoteAwayThenBack(t *testing.T) {
	t.Parallel()
	dir, commits := bare(t, 2)
	r := &remote{dir: dir}
	f := open(t, r, nil)
	move := func(from, to string) {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	for i, c := range commits { // at first use, and later
		move(dir, dir+".away")
		if err := f.Post(t.Context(), []forge.Check{check(c, forge.Success, "applied")})[0]; err == nil || errors.Is(err, forge.ErrRefused) {
			t.Errorf("%d: error %v; want one that is tried again", i, err)
		}
		move(dir+".away", dir)
		post(t, f, check(c, forge.Success, "applied"))
		equal(t, "note", show(t, dir, c), "success portcullis/eu-west: applied\n")
	}
}

func TestRefDeletedOnTheRemote(t *testing.T) {
	t.Parallel()
	dir, commits := bare(t, 2)
	f := open(t, &remote{dir: dir}, nil)
	post(t, f, check(commits[0], forge.Success, "applied"))
	run(t, dir, "update-ref", "-d", ref)
	post(t, f, check(commits[1], forge.Success, "applied"))
	equal(t, "note", show(t, dir, commits[1]), "success portcullis/eu-west: applied\n")
}

func TestRefRewoundOnTheRemote(t *testing.T) {
	t.Parallel()
	dir, commits := bare(t, 3)
	f := open(t, &remote{dir: dir}, nil)
	post(t, f, check(commits[0], forge.Success, "applied"))
	run(t, dir, "update-ref", "-d", ref)
	run(t, dir, "notes", "--ref", ref, "add", "-m", "foreign", commits[1])
	post(t, f, check(commits[2], forge.Success, "applied"))
	equal(t, "theirs", show(t, dir, commits[1]), "foreign\n")
	equal(t, "ours", show(t, dir, commits[2]), "success portcullis/eu-west: applied\n")
}

func TestPermission(t *testing.T) {
	t.Parallel()
	dir, commits := bare(t, 1)
	hook := filepath.Join(dir, "hooks", "update")
	if err := os.MkdirAll(filepath.Dir(hook), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(hook, []byte("#!/bin/sh\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	r := &remote{dir: dir}
	err := open(t, r, nil).Post(t.Context(), []forge.Check{check(commits[0], forge.Success, "applied")})[0]
	if _, slow := errors.AsType[forge.RetryAfterError](err); !slow || !strings.Contains(err.Error(), "write access to refs/notes/*") {
		t.Errorf("error: %v; want one that names the remedy and is tried again slowly", err)
	}
	equal(t, "requests", r.counts(), "2 fetches, 1 pushes")
}

func TestRefusedAloneAndCancelled(t *testing.T) {
	t.Parallel()
	dir, commits := bare(t, 1)
	f := open(t, &remote{dir: dir}, nil)
	errs := f.Post(t.Context(), []forge.Check{check("main", forge.Success, "x"), check(commits[0], forge.Success, "x")})
	if !errors.Is(errs[0], forge.ErrRefused) || errs[1] != nil {
		t.Errorf("errors: %v", errs)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := open(t, &remote{dir: dir}, nil).Post(ended, []forge.Check{check(commits[0], forge.Failure, "y")})[0]; err == nil {
		t.Error("a post whose context had ended was delivered")
	}
	equal(t, "none", len(f.Post(t.Context(), nil)), 0)
}

func TestOptions(t *testing.T) {
	t.Parallel()
	good := notes.Options{Dir: "x", Remote: &remote{}, Ref: ref}
	for name, spoil := range map[string]func(*notes.Options){
		"no ref":     func(o *notes.Options) { o.Ref = "" },
		"a branch":   func(o *notes.Options) { o.Ref = "refs/heads/main" },
		"not a ref":  func(o *notes.Options) { o.Ref = "refs/notes/a..b" },
		"only a dir": func(o *notes.Options) { o.Ref = "refs/notes/" },
		"no folder":  func(o *notes.Options) { o.Dir = "" },
		"no remote":  func(o *notes.Options) { o.Remote = nil },
	} {
		o := good
		spoil(&o)
		if _, err := notes.New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
