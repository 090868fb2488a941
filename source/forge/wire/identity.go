package wire

import (
	"crypto/sha256"
	"sync"
)

// Identity remembers who a token belongs to, for as long as it is the same
// token. The zero value is fit for use, by many at once.
type Identity struct {
	mu    sync.Mutex
	token [sha256.Size]byte
	name  string
}

// Of answers who the token belongs to; ask is called where that is not known.
func (i *Identity) Of(token string, ask func() (string, error)) (string, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	sum := sha256.Sum256([]byte(token))
	if i.name != "" && sum == i.token {
		return i.name, nil
	}
	name, err := ask()
	if err != nil {
		return "", err
	}
	i.token, i.name = sum, name
	return name, nil
}
