package stage

import (
	"context"
	"fmt"
	"strings"
)

// The states of a check.
const (
	Success = "success"
	Failure = "failure"
	Pending = "pending"
)

// NotesRef is where notes are, as `git notes --ref` takes it.
const NotesRef = "portcullis/eu-west"

// Note is the check of a commit as `git notes show` prints it; for repositories
// of the stage's own.
func (r *Repository) Note(ctx context.Context, sha string) (string, error) {
	note, err := git(ctx, r.bare, "notes", "--ref="+NotesRef, "show", sha)
	return r.names.example(note), err
}

// Noted is a condition: the note of a commit has this state, and holds each of
// the words.
func (r *Repository) Noted(sha, state string, words ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		note, err := r.Note(ctx, sha)
		if err != nil {
			return err
		}
		return Says(note, state, words...)
	}
}

// Says fails where a note has another state, or lacks one of the words.
func Says(note, state string, words ...string) error {
	if !strings.HasPrefix(note, state+" portcullis/eu-west: ") {
		return fmt.Errorf("the check is not %s: %s", state, note)
	}
	for _, word := range words {
		if !strings.Contains(note, word) {
			return fmt.Errorf("the check does not say %q: %s", word, note)
		}
	}
	return nil
}

// Place is where in a file a text stands first, as findings show it: the path
// from the repository's root, line and column, both from 1. Lines and columns
// count characters; it fails where the text is not there.
func (r *Repository) Place(path, text string) (string, error) {
	content, err := r.Read(path)
	if err != nil {
		return "", err
	}
	at := strings.Index(content, text)
	if at < 0 {
		return "", fmt.Errorf("%s does not hold %q", path, text)
	}
	before := content[:at]
	line := strings.Count(before, "\n") + 1
	column := len([]rune(before[strings.LastIndex(before, "\n")+1:])) + 1
	full := path
	if r.Root != "" {
		full = r.Root + "/" + path
	}
	return fmt.Sprintf("%s:%d:%d", full, line, column), nil
}

// Replace is the text of a file of the clone with one part replaced; it fails
// where the part is not there.
func (r *Repository) Replace(path, old, new string) (string, error) {
	content, err := r.Read(path)
	if err != nil {
		return "", err
	}
	if !strings.Contains(content, old) {
		return "", fmt.Errorf("%s does not hold %q", path, old)
	}
	return strings.Replace(content, old, new, 1), nil
}

// Edit pushes a commit that replaces one part of one file.
func (r *Repository) Edit(ctx context.Context, message, path, old, new string) (string, error) {
	content, err := r.Replace(path, old, new)
	if err != nil {
		return "", err
	}
	return r.Push(ctx, Commit{Message: message, Write: map[string]string{path: content}})
}
