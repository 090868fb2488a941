package main

import (
	"os"
	"strings"

	"github.com/portcullis-gitops/portcullis/source"
)

// excerpts gives lines of files to those who sit at a terminal. The file that
// was asked for last is kept: findings come sorted by file.
type excerpts struct {
	path  string
	lines []string
}

func newExcerpts() *excerpts { return &excerpts{} }

// line is a line of a file, from 1; false where there is none to show.
func (e *excerpts) line(path string, number int) (string, bool) {
	if path != e.path {
		e.path, e.lines = path, readLines(path)
	}
	if number < 1 || number > len(e.lines) {
		return "", false
	}
	return strings.TrimSuffix(e.lines[number-1], "\r"), true
}

// readLines reads what a check reads: files, up to its bound, and no links.
func readLines(path string) []string {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > source.MaxFileSize {
		return nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimPrefix(string(content), "\ufeff"), "\n")
}
