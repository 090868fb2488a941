package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/plumbing/transport/server"
	"github.com/go-git/go-git/v5/storage/memory"
)

// memoryGit is a Git host with one repository, in memory: a poll of it starts
// no program, so thousands take seconds.
type memoryGit struct {
	*httptest.Server
	mu    sync.Mutex
	repo  *memory.Storage
	polls int
}

const modelBranch = plumbing.ReferenceName("refs/heads/main")

func newMemoryGit(t *testing.T) *memoryGit {
	g := &memoryGit{repo: memory.NewStorage()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /allowlists.git/info/refs", g.refs)
	mux.HandleFunc("POST /allowlists.git/git-upload-pack", g.pack)
	g.Server = httptest.NewServer(mux)
	t.Cleanup(g.Close)
	return g
}

// Load is the loader of go-git's server.
func (g *memoryGit) Load(*transport.Endpoint) (storer.Storer, error) { return g.repo, nil }

func (g *memoryGit) session() (transport.UploadPackSession, error) {
	return server.NewServer(g).NewUploadPackSession(&transport.Endpoint{}, nil)
}

func (g *memoryGit) refs(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.polls++
	session, err := g.session()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	found, err := session.AdvertisedReferencesContext(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	found.Prefix = [][]byte{[]byte("# service=git-upload-pack"), pktline.Flush}
	w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
	found.Encode(w) //nolint:errcheck // its reader may have gone
}

func (g *memoryGit) pack(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	session, err := g.session()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	request := packp.NewUploadPackRequest()
	if err := request.UploadRequest.Decode(r.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	haves := pktline.NewScanner(r.Body)
	for haves.Scan() {
		hash, ok := strings.CutPrefix(strings.TrimSpace(string(haves.Bytes())), "have ")
		if has := plumbing.NewHash(hash); ok && g.repo.HasEncodedObject(has) == nil {
			request.Haves = append(request.Haves, has)
		}
	}
	response, err := session.UploadPack(r.Context(), request)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
	response.Encode(w) //nolint:errcheck // its reader may have gone
}

// asked is how often the repository was asked where its branches are.
func (g *memoryGit) asked() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.polls
}

// commit makes a commit of some files, by path, on top of another one or of
// none, and answers its hash. No branch has it yet. sign makes its signature;
// nil makes none.
func (g *memoryGit) commit(parent string, files map[string]string, at time.Time, sign func(payload io.Reader) (string, error)) (string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	tree, err := g.tree(files)
	if err != nil {
		return "", err
	}
	who := object.Signature{Name: "model", Email: "model@acme.example", When: at}
	c := &object.Commit{Author: who, Committer: who, Message: fmt.Sprint(len(files), " files"), TreeHash: tree}
	if parent != "" {
		c.ParentHashes = []plumbing.Hash{plumbing.NewHash(parent)}
	}
	if sign != nil {
		payload := &plumbing.MemoryObject{}
		if err := c.EncodeWithoutSignature(payload); err != nil {
			return "", err
		}
		r, err := payload.Reader()
		if err != nil {
			return "", err
		}
		if c.PGPSignature, err = sign(r); err != nil {
			return "", err
		}
	}
	hash, err := g.store(c)
	return hash.String(), err
}

type encoded interface {
	Encode(plumbing.EncodedObject) error
}

func (g *memoryGit) store(o encoded) (plumbing.Hash, error) {
	out := g.repo.NewEncodedObject()
	if err := o.Encode(out); err != nil {
		return plumbing.ZeroHash, err
	}
	return g.repo.SetEncodedObject(out)
}

// tree stores files and the folders that they are in.
func (g *memoryGit) tree(files map[string]string) (plumbing.Hash, error) {
	t, below := &object.Tree{}, map[string]map[string]string{}
	for path, content := range files {
		if folder, rest, deep := strings.Cut(path, "/"); deep {
			if below[folder] == nil {
				below[folder] = map[string]string{}
			}
			below[folder][rest] = content
			continue
		}
		blob := &plumbing.MemoryObject{}
		blob.SetType(plumbing.BlobObject)
		if _, err := blob.Write([]byte(content)); err != nil {
			return plumbing.ZeroHash, err
		}
		hash, err := g.repo.SetEncodedObject(blob)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		t.Entries = append(t.Entries, object.TreeEntry{Name: path, Mode: filemode.Regular, Hash: hash})
	}
	for folder, inside := range below {
		hash, err := g.tree(inside)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		t.Entries = append(t.Entries, object.TreeEntry{Name: folder, Mode: filemode.Dir, Hash: hash})
	}
	slices.SortFunc(t.Entries, func(a, b object.TreeEntry) int { return strings.Compare(sortName(a), sortName(b)) })
	return g.store(t)
}

// sortName is what Git sorts a tree's entries by.
func sortName(e object.TreeEntry) string {
	if e.Mode == filemode.Dir {
		return e.Name + "/"
	}
	return e.Name
}

// move points the branch at a commit, wherever it was.
func (g *memoryGit) move(commit string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.repo.SetReference(plumbing.NewHashReference(modelBranch, plumbing.NewHash(commit)))
}
