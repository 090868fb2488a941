package main

import (
	"os"
	"path/filepath"
	"testing"
)

// To run them takes hours: that each still has a line to break is seen here.
func TestMutantsAreOfTheCodeAsItIs(t *testing.T) {
	t.Parallel()
	for _, m := range mutants() {
		content, err := os.ReadFile(filepath.Join("..", "..", m.file))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.breaks(string(content)); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
	}
}
