package render

import (
	"fmt"

	"github.com/portcullis-gitops/portcullis/render/document"
)

// Cache keeps what files say, by the hash of their content, so that a commit
// that changes one file of many takes one apart.
type Cache struct {
	parsed map[string]*document.Parsed
	used   map[string]bool
	// Taken counts the files that were taken apart so far.
	Taken int
}

// NewCache is an empty cache. It is not safe for use at once.
func NewCache() *Cache {
	return &Cache{parsed: map[string]*document.Parsed{}, used: map[string]bool{}}
}

// CacheOf knows what these files say.
func CacheOf(files []File) *Cache {
	c := NewCache()
	for _, f := range files {
		if f.Parsed != nil && !f.Parsed.Unread {
			c.parsed[f.Hash] = f.Parsed
		}
	}
	return c
}

// Parse is what the content with that hash says; read is called only where it
// is not known yet.
func (c *Cache) Parse(hash string, read func() ([]byte, error)) (*document.Parsed, error) {
	c.used[hash] = true
	if p := c.parsed[hash]; p != nil {
		return p, nil
	}
	content, err := read()
	if err != nil {
		return nil, err
	}
	c.Taken++
	c.parsed[hash] = document.Parse(content)
	return c.parsed[hash], nil
}

// Forget drops what was not asked for since the last call.
func (c *Cache) Forget() {
	for hash := range c.parsed {
		if !c.used[hash] {
			delete(c.parsed, hash)
		}
	}
	clear(c.used)
}

// NotAFile stands for what cannot be read because it is no file.
func NotAFile(kind string) *document.Parsed {
	return &document.Parsed{Unread: true, Problems: []document.Problem{{Pos: document.Start, Rule: "not-a-file",
		Message: fmt.Sprintf("this is a %s: only files are read", kind), Fix: "put a file in its place"}}}
}

// TooLarge stands for a file over the bound.
func TooLarge(size, most int64) *document.Parsed {
	return &document.Parsed{Unread: true, Problems: []document.Problem{{Pos: document.Start, Rule: "file-too-large",
		Message: fmt.Sprintf("the file has %d bytes, and %d are read at most", size, most), Fix: "split it into several files"}}}
}

// Overfull stands for a tenant's folder over the bounds, of which nothing is read.
func Overfull(entries, content int64) *document.Parsed {
	return &document.Parsed{Unread: true, Folder: true, Problems: []document.Problem{{Pos: document.Start, Rule: "file-too-large",
		Message: fmt.Sprintf("the tenant's folder holds more than is read of one: %d files and folders, %d bytes of files", entries, content),
		Fix:     "remove what is not needed; or have the provider split the tenant"}}}
}
