package source

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"sync"
)

// maxKeyFile bounds a file of keys, in bytes.
const maxKeyFile = 1 << 20

// keyFile is a file of public keys. It is read each time it is used, which is
// cheap beside a fetch and misses no replacement, and taken apart only when its
// content is another.
type keyFile[K any] struct {
	what  string // the setting that names it
	path  string
	parse func([]byte) (K, error)

	mu   sync.Mutex
	read bool
	sum  [sha256.Size]byte
	keys K
	err  error // of the content
}

// load is what is in the file now. Errors name the file, and nothing in it but
// line numbers.
func (f *keyFile[K]) load() (keys K, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	data, err := readBounded(f.path, maxKeyFile)
	if err != nil {
		return keys, fmt.Errorf("read %s: %w", f.what, err)
	}
	if sum := sha256.Sum256(data); !f.read || sum != f.sum {
		f.read, f.sum = true, sum
		if f.keys, f.err = f.parse(data); f.err != nil {
			f.err = fmt.Errorf("read %s: %s: %w", f.what, f.path, f.err)
		}
	}
	return f.keys, f.err
}

func readBounded(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var data bytes.Buffer
	n, err := io.Copy(&data, io.LimitReader(f, most+1))
	if err != nil {
		return nil, err
	}
	if n > most {
		return nil, fmt.Errorf("%s: over %d bytes: %w", path, most, ErrTooLarge)
	}
	return data.Bytes(), nil
}
