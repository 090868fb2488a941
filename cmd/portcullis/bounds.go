package main

import (
	"fmt"
	"strings"
)

// One tenant's file may hold as many faults as it has bytes for. What is told
// of them is bounded: nobody reads more, and others' logs and notes are in the
// same place.
const (
	mostErrors = 20     // of a commit, in the log
	maxBody    = 60_000 // of a check, in bytes; forges take some more
)

// bounded is the beginning of a text, in whole lines, with a word on the rest.
func bounded(text string) string {
	if len(text) <= maxBody {
		return text
	}
	end := strings.LastIndexByte(text[:maxBody], '\n') + 1
	return fmt.Sprintf("%sand %d more lines\n", text[:end], strings.Count(text[end:], "\n"))
}
