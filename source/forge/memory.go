package forge

// memory is what the host says of each commit and context, as far as it is
// known: not while a check is being posted, and not after one that failed, as
// the host may have taken it all the same. It forgets the oldest when full.
type memory struct {
	hashes map[key]string
	order  []key // ring, once full
	next   int
	limit  int
}

func newMemory(limit int) *memory {
	return &memory{hashes: map[key]string{}, limit: limit}
}

// get returns the hash of what the host says, empty where that is not known.
func (m *memory) get(k key) string { return m.hashes[k] }

func (m *memory) set(k key, hash string) {
	if _, there := m.hashes[k]; !there {
		m.makeRoom(k)
	}
	m.hashes[k] = hash
}

// doubt keeps the key's place and forgets what the host says of it.
func (m *memory) doubt(k key) {
	if _, there := m.hashes[k]; there {
		m.hashes[k] = ""
	}
}

func (m *memory) makeRoom(k key) {
	if len(m.order) < m.limit {
		m.order = append(m.order, k)
		return
	}
	delete(m.hashes, m.order[m.next])
	m.order[m.next] = k
	m.next = (m.next + 1) % m.limit
}
