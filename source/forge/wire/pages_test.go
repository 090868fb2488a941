package wire_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/portcullis-gitops/portcullis/source/forge/wire"
)

// lister answers numbers, newest first, in pages of full, with an ETag of the
// page's own content alone: the most forgetful that a host may be.
type lister struct {
	*httptest.Server
	mu      sync.Mutex
	numbers []int
	full    int
	links   bool // names the next page
	etags   bool
	answers []int // codes
}

func newLister(t testing.TB, full int) *lister {
	l := &lister{full: full, etags: true}
	l.Server = httptest.NewServer(l)
	t.Cleanup(l.Close)
	return l
}

func (l *lister) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	from := min((page-1)*l.full, len(l.numbers))
	to := min(from+l.full, len(l.numbers))
	body, _ := json.Marshal(l.numbers[from:to])
	if l.links && to < len(l.numbers) {
		w.Header().Set("Next", strconv.Itoa(page+1))
	}
	etag := fmt.Sprintf("%q", body)
	code := http.StatusOK
	if l.etags {
		w.Header().Set("ETag", etag)
		if r.Header.Get("If-None-Match") == etag {
			code, body = http.StatusNotModified, nil
			w.Header().Del("Next")
		}
	}
	l.answers = append(l.answers, code)
	w.WriteHeader(code)
	_, _ = w.Write(body)
}

// list asks as a forge does.
func (l *lister) list(ctx context.Context, client *http.Client, pages *wire.Pages[int]) ([]int, error) {
	l.answers = nil
	return pages.All(ctx, "open", l.full, func(ctx context.Context, page int) (wire.Page[int], error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, l.URL+"?page="+strconv.Itoa(page), nil)
		if err != nil {
			return wire.Page[int]{}, err
		}
		resp, err := client.Do(r)
		if err != nil {
			return wire.Page[int]{}, err
		}
		defer resp.Body.Close()
		out := wire.Page[int]{Resp: resp}
		out.Next, _ = strconv.Atoi(resp.Header.Get("Next"))
		if resp.StatusCode == http.StatusOK {
			err = json.NewDecoder(resp.Body).Decode(&out.Items)
		}
		return out, err
	})
}

func newClient(t testing.TB) *http.Client {
	client, err := wire.Options{}.Client()
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestUnchangedPagesAreAnsweredInShort(t *testing.T) {
	t.Parallel()
	l, client, pages := newLister(t, 2), newClient(t), &wire.Pages[int]{}
	l.numbers = []int{5, 4, 3, 2, 1}
	for _, want := range []string{"[200 200 200]", "[304 304 304]", "[304 304 304]"} {
		got, err := l.list(t.Context(), client, pages)
		if err != nil || !slices.Equal(got, l.numbers) || fmt.Sprint(l.answers) != want {
			t.Fatalf("%v, %v after %v, want %s", got, err, l.answers, want)
		}
	}
	l.etags = false
	if got, err := l.list(t.Context(), client, pages); err != nil || !slices.Equal(got, l.numbers) || slices.Contains(l.answers, 304) {
		t.Errorf("%v, %v after %v", got, err, l.answers)
	}
}

// Whatever changes between two listings, the second has it: what is new comes
// first, and anything may leave or come back in the middle.
func TestListingHasEveryChange(t *testing.T) {
	t.Parallel()
	client := newClient(t)
	rapid.Check(t, func(t *rapid.T) {
		full := rapid.IntRange(1, 4).Draw(t, "full")
		l := &lister{full: full, etags: true, links: rapid.Bool().Draw(t, "links")}
		l.Server = httptest.NewServer(l)
		defer l.Close()
		pages := &wire.Pages[int]{}
		open := map[int]bool{}
		newest := 0
		for range rapid.IntRange(1, 12).Draw(t, "listings") {
			for range rapid.IntRange(0, 3).Draw(t, "changes") {
				if n := rapid.IntRange(0, newest).Draw(t, "number"); n == 0 {
					newest++
					open[newest] = true
				} else {
					open[n] = !open[n]
				}
			}
			l.numbers = []int{}
			for n := newest; n > 0; n-- {
				if open[n] {
					l.numbers = append(l.numbers, n)
				}
			}
			got, err := l.list(context.Background(), client, pages)
			if err != nil || !slices.Equal(got, l.numbers) {
				t.Fatalf("listed %v, %v; want %v", got, err, l.numbers)
			}
		}
	})
}

func TestEndlessListingEnds(t *testing.T) {
	t.Parallel()
	var pages wire.Pages[int]
	asked := 0
	_, err := pages.All(t.Context(), "open", 1, func(context.Context, int) (wire.Page[int], error) {
		asked++
		return wire.Page[int]{Items: []int{asked}, Resp: &http.Response{StatusCode: 200, Header: http.Header{}}}, nil
	})
	if err == nil || asked > 1000 {
		t.Errorf("%d pages, %v", asked, err)
	}
}

func TestListingThatFailsIsNotRemembered(t *testing.T) {
	t.Parallel()
	l, client, pages := newLister(t, 2), newClient(t), &wire.Pages[int]{}
	l.numbers = []int{3, 2, 1}
	failed := errors.New("no luck")
	_, err := pages.All(t.Context(), "open", 2, func(_ context.Context, page int) (wire.Page[int], error) {
		return wire.Page[int]{}, failed
	})
	if !errors.Is(err, failed) {
		t.Fatal(err)
	}
	if got, err := l.list(t.Context(), client, pages); err != nil || !slices.Equal(got, l.numbers) {
		t.Errorf("%v, %v", got, err)
	}
}
