// Command repack writes an archive that `helm package` made anew, so that the same
// chart is the same bytes: in the order of names, with no times and no owners.
// Helm gives each file the time of the packaging.
//
//	go run ./deploy/repack portcullis-1.2.3.tgz
package main

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: repack ARCHIVE.tgz")
		os.Exit(2)
	}
	if err := repack(os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "repack %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}

// file is one of an archive.
type file struct {
	name    string
	mode    int64
	content []byte
}

func repack(path string) error {
	packed, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	files, err := unpack(packed)
	if err != nil {
		return err
	}
	fresh, err := pack(files)
	if err != nil {
		return err
	}
	return os.WriteFile(path, fresh, 0o644)
}

func unpack(packed []byte) ([]file, error) {
	plain, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	var out []file
	for archive := tar.NewReader(plain); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if header.Typeflag != tar.TypeReg {
			return nil, fmt.Errorf("%s is no plain file", header.Name)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", header.Name, err)
		}
		out = append(out, file{header.Name, header.Mode, content})
	}
}

func pack(files []file) ([]byte, error) {
	slices.SortFunc(files, func(a, b file) int { return cmp.Compare(a.name, b.name) })
	var out bytes.Buffer
	packed := gzip.NewWriter(&out)
	archive := tar.NewWriter(packed)
	for _, f := range files {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: f.mode, Size: int64(len(f.content)), ModTime: time.Unix(0, 0)}
		if err := archive.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("write %s: %w", f.name, err)
		}
		if _, err := archive.Write(f.content); err != nil {
			return nil, fmt.Errorf("write %s: %w", f.name, err)
		}
	}
	if err := errors.Join(archive.Close(), packed.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
