package source_test

import (
	"strings"
	"testing"

	"github.com/go-git/go-billy/v5/memfs"
	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/memory"

	"github.com/portcullis-gitops/portcullis/source"
)

const notes = "refs/notes/portcullis/eu-west"

// scratch is a repository in memory.
func scratch(t *testing.T) *git.Repository {
	t.Helper()
	repo, err := git.Init(memory.NewStorage(), memfs.New())
	if err != nil {
		t.Fatal(err)
	}
	return repo
}

// note commits to the notes ref of repo.
func note(t *testing.T, repo *git.Repository, text string) plumbing.Hash {
	t.Helper()
	store := func(o interface {
		Encode(plumbing.EncodedObject) error
	}) plumbing.Hash {
		e := repo.Storer.NewEncodedObject()
		if err := o.Encode(e); err != nil {
			t.Fatal(err)
		}
		h, err := repo.Storer.SetEncodedObject(e)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	me := object.Signature{Name: "portcullis", Email: "p@example.com"}
	c := &object.Commit{Author: me, Committer: me, Message: text, TreeHash: store(&object.Tree{})}
	if ref, err := repo.Reference(notes, true); err == nil {
		c.ParentHashes = []plumbing.Hash{ref.Hash()}
	}
	h := store(c)
	if err := repo.Storer.SetReference(plumbing.NewHashReference(notes, h)); err != nil {
		t.Fatal(err)
	}
	return h
}

// ways are all that reach one upstream, as a Repository's Remote.
func ways(t *testing.T, u *upstream) map[string]source.Remote {
	t.Helper()
	h := serve(t, u, false)
	out := map[string]source.Remote{}
	for name, opts := range map[string]source.Options{
		"file": {URL: u.url()},
		"http": {URL: h.url(), TokenFile: secret(t, canary)},
		"ssh":  serveSSH(t).options(t, u),
	} {
		out[name] = open(t, opts).Remote()
	}
	return out
}

func TestRemotePushesAndFetches(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"file", "http", "ssh"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t)
			first := u.change("tenants/acme/a.yaml", "one")
			remote := ways(t, u)[way]
			a, b := scratch(t), scratch(t)

			err := remote.Fetch(t.Context(), a, notes+":"+notes)
			wantError(t, err, source.ErrNoBranch, notes)
			one := note(t, a, "one")
			push := config.RefSpec(notes + ":" + notes)
			must(t, remote.Push(t.Context(), a, push))
			must(t, remote.Push(t.Context(), a, push)) // there already
			if got := u.run(u.bare, "rev-parse", notes); got != one.String() {
				t.Fatalf("the remote has %s, want %s", got, one)
			}

			// Another was faster.
			note(t, b, "two, from nothing")
			wantError(t, remote.Push(t.Context(), b, push), source.ErrMoved, notes)
			must(t, remote.Fetch(t.Context(), b, "+"+push))
			two := note(t, b, "two")
			must(t, remote.Push(t.Context(), b, push))
			note(t, a, "three, beside two")
			wantError(t, remote.Push(t.Context(), a, push), source.ErrMoved, notes)
			wantError(t, remote.Fetch(t.Context(), a, push), source.ErrMoved, notes)
			must(t, remote.Fetch(t.Context(), a, "+"+push))
			if ref, err := a.Reference(notes, true); err != nil || ref.Hash() != two {
				t.Errorf("fetched %v, %v, want %s", ref, err, two)
			}

			refs, err := remote.List(t.Context())
			must(t, err)
			var got []string
			for _, r := range refs {
				got = append(got, r.String())
			}
			if want := first + " refs/heads/main\n" + two.String() + " " + notes; strings.Join(got, "\n") != want {
				t.Errorf("listed %v, want %v", got, want)
			}
			u.run(u.bare, "fsck", "--strict")
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestRemoteOfAnEmptyRepository(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	for way, remote := range ways(t, u) {
		refs, err := remote.List(t.Context())
		if err != nil || len(refs) != 0 {
			t.Errorf("%s: %v, %v", way, refs, err)
		}
	}
}

func TestRemoteRefusesThePush(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.change("tenants/acme/a.yaml", "one")
	u.run(u.bare, "config", "transfer.hideRefs", "refs/notes")
	for _, remote := range ways(t, u) {
		repo := scratch(t)
		note(t, repo, "one")
		err := remote.Push(t.Context(), repo, notes+":"+notes)
		wantError(t, err, source.ErrRefused, "hidden ref")
		for _, bad := range []config.RefSpec{"refs/notes/*:refs/notes/*", ":" + notes, "nonsense"} {
			wantError(t, remote.Push(t.Context(), repo, bad), nil, "does not name one ref")
		}
	}
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"https://git.example.com/a/b.git", "https://git@git.example.com:8443/a", "ssh://git@git.example.com:2222/a/b.git",
		"git@git.example.com:a/b.git", "file:///srv/git/a.git", "http://127.0.0.1:3000/a", "http://localhost/a", "http://[::1]:3000/a",
	} {
		if err := source.CheckURL(good, false); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "git.example.com/a", "/srv/git/a.git", "http://git.example.com/a", "ftp://git.example.com/a", "git://git.example.com/a",
		"https://u:" + canary + "@git.example.com/a", "ssh://u:" + canary + "@h/a", "https://git.example.com/a?token=" + canary,
		"https://git.example.com/a#" + canary, "https://git.example.com", "https:///a", "file://host/a", "file://a/b", "https://h/a b",
		"https://u:" + canary + "@%zz/a", "git@host:", "ext::sh -c id", "-oProxyCommand=x@h:a", "https://127.0.0.1.example.com:x/a",
	} {
		wantError(t, source.CheckURL(bad, true && !strings.HasPrefix(bad, "http:")), nil, "url: ")
	}
	if err := source.CheckURL("http://git.example.com/a", true); err != nil {
		t.Errorf("insecureHTTP: %v", err)
	}
}

func TestOptionsThatCannotWork(t *testing.T) {
	t.Parallel()
	const url = "https://git.example.com/a"
	for text, opts := range map[string]source.Options{
		"exclude each other":       {URL: url, TokenFile: "a", PasswordFile: "b", Username: "u"},
		"needs username":           {URL: url, PasswordFile: "b"},
		"sshKeyFile":               {URL: "git@git.example.com:a"},
		"socks5":                   {URL: "git@git.example.com:a", SSHKeyFile: "a", KnownHostsFile: "b", Proxy: "http://proxy:3128"},
		"proxy: not a URL":         {URL: url, Proxy: "http://u:" + canary + "@%zz"},
		`scheme "ftp"`:             {URL: url, Proxy: "ftp://proxy"},
		"no folder for the mirror": {URL: url},
	} {
		opts.Name = "customers"
		_, err := source.Open(opts)
		wantError(t, err, nil, text)
	}
	r, err := source.NewRemote(source.Options{URL: "https://" + canary + "@git.example.com/a"})
	if err != nil || r.URL() != url {
		t.Errorf("shown as %s, %v", r.URL(), err)
	}
}
