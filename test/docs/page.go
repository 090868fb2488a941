package docs

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Page is one Markdown file.
type Page struct {
	// Path is relative to the root, with slashes.
	Path string
	// Blocks are its fenced blocks, in order.
	Blocks []Block
	// Prose is all but the fenced blocks: a line for each of the file, empty
	// where it belongs to a block.
	Prose []string
}

// Block is one fenced block.
type Block struct {
	// Lang is the first word of the info string.
	Lang string
	// Options are its other words; those without "=" have an empty value.
	Options map[string]string
	// Lines are without the fence's indentation; Line is that of the first of
	// them in the file, from 1.
	Lines []string
	Line  int
}

// Has tells whether the info string has this option.
func (b Block) Has(option string) bool {
	_, ok := b.Options[option]
	return ok
}

// Text is the block's content, which ends with a line feed.
func (b Block) Text() string { return strings.Join(b.Lines, "\n") + "\n" }

// Root is the root of the module around the working directory.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("find the module's root: no go.mod at or above the working directory")
		}
	}
}

// Pages are all Markdown files below root that are the project's: not those of
// folders that are built or hidden, nor of test data.
func Pages(root string) ([]Page, error) {
	var out []Page
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() && name != "." && (strings.HasPrefix(base, ".") || slices.Contains([]string{"bin", "build", "testdata", "node_modules"}, base)) {
			return fs.SkipDir
		}
		if d.IsDir() || path.Ext(name) != ".md" {
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		page, err := Parse(name, string(text))
		out = append(out, page)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the pages below %s: %w", root, err)
	}
	return out, nil
}

var fence = regexp.MustCompile("^( *)(```+)(.*)$")

// Parse reads the text of a page. A fence that is not closed is an error.
func Parse(name, text string) (Page, error) {
	page := Page{Path: name}
	var open *Block
	var indent, marks string
	for i, line := range strings.Split(text, "\n") {
		m := fence.FindStringSubmatch(line)
		switch {
		case open == nil && m != nil:
			indent, marks = m[1], m[2]
			open = newBlock(m[3], i+2)
		case open != nil && m != nil && strings.TrimSpace(m[3]) == "" && len(m[2]) >= len(marks):
			page.Blocks = append(page.Blocks, *open)
			open = nil
		case open != nil:
			open.Lines = append(open.Lines, strings.TrimPrefix(line, indent))
		default:
			page.Prose = append(page.Prose, line)
			continue
		}
		page.Prose = append(page.Prose, "")
	}
	if open != nil {
		return page, fmt.Errorf("%s:%d: the block is not closed", name, open.Line-1)
	}
	return page, nil
}

func newBlock(info string, line int) *Block {
	b := &Block{Line: line, Options: map[string]string{}}
	for i, word := range strings.Fields(info) {
		if i == 0 {
			b.Lang = word
			continue
		}
		name, value, _ := strings.Cut(word, "=")
		b.Options[name] = value
	}
	return b
}
