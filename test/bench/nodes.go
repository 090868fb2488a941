package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"gopkg.in/yaml.v3"
)

// nodesPeer reads all files of a folder and takes them apart into yaml.v3's
// nodes, which are dropped: the least that anything does that reads them.
func nodesPeer(context.Context, []string) (job, error) {
	return func(_ context.Context, dir string) (count int, err error) {
		err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			count++
			return takeApart(path)
		})
		return count, err
	}, nil
}

func takeApart(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for decoder := yaml.NewDecoder(bytes.NewReader(content)); ; {
		var n yaml.Node
		err := decoder.Decode(&n)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
