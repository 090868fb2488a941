package console

import "sync"

// few are things by name, a bounded number of them: each is there, empty, once it
// is first asked for, and beyond the bound all are forgotten. Whoever has one
// keeps it.
type few[T any] struct {
	mu sync.Mutex
	of map[string]*T
}

// place is the one of a name.
func (f *few[T]) place(name string, most int) *T {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t := f.of[name]; t != nil {
		return t
	}
	if f.of == nil || len(f.of) >= most {
		f.of = map[string]*T{}
	}
	t := new(T)
	f.of[name] = t
	return t
}
