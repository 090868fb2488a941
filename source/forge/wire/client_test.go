package wire_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/source/forge/wire"
)

func TestRequestsAreObserved(t *testing.T) {
	t.Parallel()
	codes := []int{200, 429, 502}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(codes[0])
		codes = codes[1:]
	}))
	var seen []int
	client, err := wire.Options{Observe: func(code int) { seen = append(seen, code) }}.Client()
	if err != nil {
		t.Fatal(err)
	}
	ask := func() error {
		resp, err := client.Get(server.URL)
		if err == nil {
			err = resp.Body.Close()
		}
		return err
	}
	for range 3 {
		if err := ask(); err != nil {
			t.Fatal(err)
		}
	}
	server.Close()
	if err := ask(); err == nil {
		t.Error("a server that is gone answered")
	}
	if got := fmt.Sprint(seen); got != "[200 429 502 0]" {
		t.Errorf("seen: %s", got)
	}
}

// TestAnswersAreBounded has a host that never ends: what is read of it does.
func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write([]byte(strings.Repeat("x", 1<<16))); err != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	client, err := wire.Options{}.Client()
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, resp.Body)
	if err != nil || n != 16<<20 {
		t.Errorf("%d bytes were read, %v", n, err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
}
