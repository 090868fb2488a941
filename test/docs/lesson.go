package docs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Lesson runs a page as a reader would: its terminals one block after the
// other, its files written where it says so.
type Lesson struct {
	// Dir is where each terminal begins and files are relative to.
	Dir string
	// Env is that of the terminals.
	Env []string
	// Patience is how long a command may take, or what it waits for.
	Patience time.Duration

	terminals map[string]*Terminal
}

// Run runs the page to its end, or to the first block that does not hold.
func (l *Lesson) Run(ctx context.Context, p Page) error {
	l.terminals = map[string]*Terminal{}
	for _, b := range p.Blocks {
		if err := l.block(ctx, b); err != nil {
			return fmt.Errorf("%s, %w", p.Path, err)
		}
	}
	return nil
}

// Close ends all terminals.
func (l *Lesson) Close() error {
	var errs []error
	for _, t := range l.terminals {
		errs = append(errs, t.Close())
	}
	return errors.Join(errs...)
}

// Printed is what all terminals show, for failures.
func (l *Lesson) Printed() string {
	out := ""
	for name, t := range l.terminals {
		out += fmt.Sprintf("== terminal %q\n%s\n", name, t.printed())
	}
	return out
}

func (l *Lesson) block(ctx context.Context, b Block) error {
	if file, ok := b.Options["file"]; ok {
		return l.save(file, b)
	}
	if b.Lang != "console" || b.Has("not-run") {
		return nil
	}
	t, err := l.terminal(b)
	if err != nil {
		return err
	}
	if b.Has("prints") {
		return l.patiently(ctx, func(ctx context.Context) error { return t.Await(ctx, b.Lines) })
	}
	commands, err := b.Commands()
	if err != nil {
		return err
	}
	for _, c := range commands {
		if err := l.patiently(ctx, func(ctx context.Context) error { return t.Type(ctx, c) }); err != nil {
			return err
		}
	}
	return nil
}

func (l *Lesson) patiently(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, l.Patience)
	defer cancel()
	return do(ctx)
}

// terminal is the one of a block, opened where it is not there.
func (l *Lesson) terminal(b Block) (*Terminal, error) {
	name := b.Options["terminal"]
	t, open := l.terminals[name]
	if open && b.Has("interrupt") {
		if err := t.Close(); err != nil {
			return nil, err
		}
		open = false
	}
	if open {
		return t, nil
	}
	t, err := Open(l.Dir, l.Env)
	if err == nil {
		l.terminals[name] = t
	}
	return t, err
}

func (l *Lesson) save(file string, b Block) error {
	path := filepath.Join(l.Dir, filepath.FromSlash(file))
	if err := os.WriteFile(path, []byte(b.Text()), 0o644); err != nil {
		return fmt.Errorf("line %d: save the file: %w", b.Line, err)
	}
	return nil
}
