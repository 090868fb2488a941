package console

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// However many ask, and however often, no more are answered a second than may be;
// nobody waits for long, and who would is told to come again.
func TestPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := paced(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
		const asked = mostAhead + 3*mostASecond
		began, statuses, last := time.Now(), map[int]int{}, time.Duration(0)
		var mu sync.Mutex
		var all sync.WaitGroup
		for range asked {
			all.Go(func() {
				answer := httptest.NewRecorder()
				h.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
				mu.Lock()
				defer mu.Unlock()
				statuses[answer.Code]++
				last = time.Since(began)
				if refused := answer.Code == http.StatusServiceUnavailable; refused != (answer.Header().Get("Retry-After") != "") {
					t.Errorf("%d: %v", answer.Code, answer.Header())
				}
			})
		}
		all.Wait()
		served := mostAhead + int(mostPatience.Seconds()*mostASecond)
		if n := statuses[http.StatusNoContent]; n < served-1 || n > served+1 || statuses[http.StatusServiceUnavailable] != asked-n {
			t.Errorf("%v, want %d answers", statuses, served)
		}
		if last > mostPatience {
			t.Errorf("somebody waits for %v", last)
		}
	})
}

// counted counts the connections that a server has taken and not ended.
type counted struct {
	net.Listener
	mu         sync.Mutex
	open, most int
}

func (l *counted) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open++
	l.most = max(l.most, l.open)
	return &taken{Conn: c, end: sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.open--
	})}, nil
}

type taken struct {
	net.Conn
	end func()
}

func (c *taken) Close() error {
	c.end()
	return c.Conn.Close()
}

// Connections beyond the limit are taken, and answered, once others end.
func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	inner, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := &counted{Listener: inner}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error)
	go func() { served <- Serve(ctx, listener, http.NotFoundHandler()) }()
	var open []net.Conn
	for range mostConnections + 20 {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
	}
	for _, c := range open { // from the first, which makes room for the last
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if answer, err := io.ReadAll(c); err != nil || len(answer) == 0 {
			t.Fatalf("%q, %v", answer, err)
		}
		_ = c.Close()
	}
	if listener.most > mostConnections {
		t.Errorf("%d connections at once", listener.most)
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}
