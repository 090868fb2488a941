package source

import "io"

// Bounds on what a Git server may send besides objects, in bytes.
const (
	maxRefs   = 64 << 20    // a listing: half a million refs and more
	maxHead   = 16 << 20    // what comes before a pack: which of our commits it knows
	maxAnswer = 2 * maxPack // a pack with all that is said between its pieces
	maxReport = 1 << 20     // what it says to a push
)

// ration is a reader that ends with an error once so much was read, and can be
// given more.
type ration struct {
	from io.Reader
	what string // as in TooLargeError
	most int64
	left int64
	over bool
}

func newRation(from io.Reader) *ration { return &ration{from: from} }

// grant permits so many bytes from now on, of what they are.
func (r *ration) grant(most int64, what string) { r.what, r.most, r.left = what, most, most }

// Read implements io.Reader. That a bound was met is known only once there is
// more.
func (r *ration) Read(p []byte) (int, error) {
	if r.left == 0 {
		var one [1]byte
		if n, err := r.from.Read(one[:]); n == 0 {
			return 0, err
		}
		r.over = true
	}
	if r.over {
		return 0, r.exceeded()
	}
	n, err := r.from.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	return n, err
}

// exceeded is the bound that was met; nil if none was.
func (r *ration) exceeded() error {
	if !r.over {
		return nil
	}
	return &TooLargeError{"bytes in " + r.what, r.most}
}
