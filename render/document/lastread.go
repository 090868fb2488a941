package document

import (
	"bytes"
	"io"

	"gopkg.in/yaml.v3"
)

// lastRead is the line at which the library gives up on content: it gets one
// line at a time, and asks for the next when it is done with the one before.
func lastRead(content []byte) int {
	lines := &lineReader{rest: content}
	for d := yaml.NewDecoder(lines); ; {
		var doc yaml.Node
		if err := decode(d, &doc); err != nil {
			return lines.begun
		}
	}
}

// lineReader reads no further than to the end of a line at once.
type lineReader struct {
	rest   []byte
	begun  int  // the lines of which something was read
	inside bool // of the last, not all was
}

func (l *lineReader) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		return 0, io.EOF
	}
	if !l.inside {
		l.begun++
	}
	end := len(l.rest)
	if at := bytes.IndexByte(l.rest, '\n'); at >= 0 {
		end = at + 1
	}
	n := copy(p, l.rest[:end])
	l.inside = n < end
	l.rest = l.rest[n:]
	return n, nil
}
