package wire

import (
	"context"
	"fmt"
	"net/http"
	"sync"
)

// maxPages bounds a listing. More open pull requests than fit are no longer a
// repository's daily work, and a host that always promises one more page must
// not keep us.
const maxPages = 200

// Page is one page of a listing, and the answer that it came with.
type Page[T any] struct {
	Items []T
	Next  int // number of the next page; 0: the answer names none
	Resp  *http.Response
}

// Pages are listings that are asked for again and again. Each page is asked
// for conditionally, with the ETag it had, and taken from memory where it did
// not change. The zero value is fit for use, by many at once.
type Pages[T any] struct {
	mu   sync.Mutex
	seen map[string][]seen[T]
}

type seen[T any] struct {
	etag  string
	items []T
	next  int
}

// All asks for all pages of the listing that key names, of full items each.
// ask is given the context that the request is to be made with; it answers the
// page, and an error but for 304 (not modified), whatever its client makes of
// that.
//
// The listing must be ordered so that what is new comes first: an unchanged
// page then says that nothing is new before it. What comes after an unchanged
// full page is always asked for, as that page cannot know.
func (p *Pages[T]) All(ctx context.Context, key string, full int, ask func(ctx context.Context, page int) (Page[T], error)) ([]T, error) {
	before := p.get(key)
	var now []seen[T]
	var all []T
	for number := 1; number > 0; {
		if len(now) == maxPages {
			return nil, fmt.Errorf("list: more than %d pages", maxPages)
		}
		var old seen[T]
		if n := len(now); n < len(before) && number == n+1 {
			old = before[n]
		}
		page, err := ask(ifNoneMatch(ctx, old.etag), number)
		if err != nil {
			return nil, err
		}
		got := seen[T]{page.Resp.Header.Get("ETag"), page.Items, page.Next}
		if page.Resp.StatusCode == http.StatusNotModified {
			got = old
		}
		now, all = append(now, got), append(all, got.items...)
		number = following(number, got.next, len(got.items) >= full)
	}
	p.set(key, now)
	return all, nil
}

// following is the page after this one; 0: none.
func following(number, next int, isFull bool) int {
	if next > number {
		return next
	}
	if isFull {
		return number + 1
	}
	return 0
}

func (p *Pages[T]) get(key string) []seen[T] {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen[key]
}

func (p *Pages[T]) set(key string, pages []seen[T]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen == nil {
		p.seen = map[string][]seen[T]{}
	}
	p.seen[key] = pages
}
