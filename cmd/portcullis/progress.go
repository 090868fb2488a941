package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/apply"
)

const (
	// quietFor is how long a command may be silent about what it does.
	quietFor = 2 * time.Second
	// beat is the least time between two tellings.
	beat = 100 * time.Millisecond
	// clearLine takes back what stands on the line.
	clearLine = "\r\x1b[K"
)

// progress tells on a terminal how far work on a large tree or seed has come. A
// nil progress tells nothing.
type progress struct {
	out         io.Writer
	now         func() time.Time
	began, told time.Time
}

// newProgress is nil where out is no terminal: what is not watched live is
// better off without lines that replace each other.
func newProgress(out io.Writer, now func() time.Time) *progress {
	f, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return startProgress(out, now)
}

func startProgress(out io.Writer, now func() time.Time) *progress {
	return &progress{out: out, now: now, began: now()}
}

// at tells that so many of all have been done of some work, such as "reading
// files".
func (p *progress) at(work string, done, all int) {
	if p == nil {
		return
	}
	now := p.now()
	if now.Sub(p.began) < quietFor || now.Sub(p.told) < beat && done < all {
		return
	}
	p.told = now
	_, _ = fmt.Fprintf(p.out, "%s%s: %d of %d", clearLine, work, done, all)
}

// seed is a reader of a seed that tells of the pages of Clusters that are read.
func (p *progress) seed(c client.Reader) client.Reader {
	if p == nil {
		return c
	}
	return &countedReader{Reader: c, progress: p}
}

// countedReader counts Clusters.
type countedReader struct {
	client.Reader
	progress *progress
	done     int
}

// List implements client.Reader.
func (r *countedReader) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	err := r.Reader.List(ctx, list, options...)
	if page, ok := list.(*apply.ClusterList); ok && err == nil {
		r.done += len(page.Items)
		left := int64(0)
		if page.RemainingItemCount != nil {
			left = *page.RemainingItemCount
		}
		r.progress.at("reading clusters", r.done, r.done+int(left))
	}
	return err
}

// end takes back what was told.
func (p *progress) end() {
	if p != nil && !p.told.IsZero() {
		_, _ = io.WriteString(p.out, clearLine)
		p.told = time.Time{}
	}
}
