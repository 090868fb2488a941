package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

const (
	// quietFor is how long a command may be silent about what it does.
	quietFor = 2 * time.Second
	// beat is the least time between two tellings.
	beat = 100 * time.Millisecond
	// clearLine takes back what stands on the line.
	clearLine = "\r\x1b[K"
)

// progress tells on a terminal how far a large tree has been read. A nil
// progress tells nothing.
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

// at tells that so many of all files have been read.
func (p *progress) at(done, all int) {
	if p == nil {
		return
	}
	now := p.now()
	if now.Sub(p.began) < quietFor || now.Sub(p.told) < beat && done < all {
		return
	}
	p.told = now
	_, _ = fmt.Fprintf(p.out, "%sread %d of %d files", clearLine, done, all)
}

// end takes back what was told.
func (p *progress) end() {
	if p != nil && !p.told.IsZero() {
		_, _ = io.WriteString(p.out, clearLine)
	}
}
