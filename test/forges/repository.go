package forges

import (
	"fmt"
	"sync"
)

// Status is a status or a check run as a host has it.
type Status struct {
	ID          int64
	Commit      string
	Context     string
	State       string // pending, success, failure; GitHub's check runs too
	Title, URL  string
	Summary     string // check runs
	ExternalID  string
	Annotations []Annotation
	Ref         string // GitLab: the pipeline's
	Pipeline    int64
}

// Annotation is one of a check run.
type Annotation struct {
	Path        string `json:"path"`
	StartLine   int    `json:"start_line"`
	EndLine     int    `json:"end_line"`
	StartColumn int    `json:"start_column,omitempty"`
	EndColumn   int    `json:"end_column,omitempty"`
	Level       string `json:"annotation_level"`
	Message     string `json:"message"`
	Title       string `json:"title,omitempty"`
}

// Pull is a pull request.
type Pull struct {
	Number       int
	Head, Branch string
	Fork         bool
	Target       string
	Author       string
	State        string // open, closed, merged
	MergeCommit  string
	Pipeline     int64 // GitLab: of the merge request; 0: none
	Comments     []*Comment
}

// Comment is one on a pull request.
type Comment struct {
	ID     int64
	Author string
	Body   string
}

// repository is what a stand-in keeps. Its lock is held while a request is
// answered, and by what tests do to it.
type repository struct {
	// Exists tells of commits that others made; nil: there are none. It is set
	// before anybody asks.
	Exists func(sha string) bool

	mu       sync.Mutex
	commits  map[string]bool
	statuses []*Status
	pulls    []*Pull
	ids      int64
}

func (r *repository) id() int64 {
	r.ids++
	return r.ids
}

// Commit makes a new commit and returns its SHA.
func (r *repository) Commit() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.commit()
}

func (r *repository) commit() string {
	sha := fmt.Sprintf("%040x", 0xc0ffee000000+r.id())
	if r.commits == nil {
		r.commits = map[string]bool{}
	}
	r.commits[sha] = true
	return sha
}

func (r *repository) has(sha string) bool {
	return r.commits[sha] || r.Exists != nil && r.Exists(sha)
}

// Statuses are those of a commit, the newest last.
func (r *repository) Statuses(commit string) []Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Status
	for _, s := range r.statuses {
		if s.Commit == commit {
			out = append(out, *s)
		}
	}
	return out
}

// Open opens a pull request.
func (r *repository) Open(branch, target, author string, fork bool) Pull {
	return r.OpenAt(r.Commit(), branch, target, author, fork)
}

// OpenAt opens a pull request with a head that is there already.
func (r *repository) OpenAt(head, branch, target, author string, fork bool) Pull {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := &Pull{Number: len(r.pulls) + 1, Head: head, Branch: branch, Fork: fork, Target: target, Author: author, State: "open"}
	r.pulls = append(r.pulls, p)
	return *p
}

// Change does something to a pull request.
func (r *repository) Change(number int, change func(*Pull)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(r.pulls[number-1])
}

// HeadOf is a pull request's head.
func (r *repository) HeadOf(number int) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.pulls[number-1].Head
}

// Push adds a commit to a pull request, and Merge merges it.
func (r *repository) Push(number int) string {
	sha := r.Commit()
	r.Change(number, func(p *Pull) { p.Head = sha })
	return sha
}

// Merge merges a pull request with a commit of its own.
func (r *repository) Merge(number int) string {
	sha := r.Commit()
	r.Change(number, func(p *Pull) { p.State, p.MergeCommit = "merged", sha })
	return sha
}

// Say comments on a pull request.
func (r *repository) Say(number int, author, body string) {
	r.Change(number, func(p *Pull) { p.Comments = append(p.Comments, &Comment{r.id(), author, body}) })
}

// Comments are those of a pull request, the oldest first.
func (r *repository) Comments(number int) []Comment {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Comment
	for _, c := range r.pulls[number-1].Comments {
		out = append(out, *c)
	}
	return out
}

// Uncomment deletes all comments of a pull request.
func (r *repository) Uncomment(number int) {
	r.Change(number, func(p *Pull) { p.Comments = nil })
}

func (r *repository) pull(number int) *Pull {
	if number < 1 || number > len(r.pulls) {
		return nil
	}
	return r.pulls[number-1]
}

// found is the comment with an ID, of whichever pull request.
func (r *repository) found(id int64) (*Pull, *Comment) {
	for _, p := range r.pulls {
		for _, c := range p.Comments {
			if c.ID == id {
				return p, c
			}
		}
	}
	return nil, nil
}

// openTo are the open pull requests that go to a branch, the newest first.
func (r *repository) openTo(target string) []*Pull {
	var out []*Pull
	for i := len(r.pulls) - 1; i >= 0; i-- {
		if p := r.pulls[i]; p.State == "open" && (target == "" || p.Target == target) {
			out = append(out, p)
		}
	}
	return out
}
