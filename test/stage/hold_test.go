package stage

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

// TestPipeHolds what is sent: of those who wait it arrives in the end, of those
// who have given up it never does.
func TestPipeHolds(t *testing.T) {
	t.Parallel()
	var patient, impatient atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/patient" {
			patient.Add(1)
		} else {
			impatient.Add(1)
		}
	}))
	defer server.Close()
	pipe, err := NewPipe(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ask := func(ctx context.Context, path string) error {
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // a connection each
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+pipe.Address+path, nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err == nil {
			err = response.Body.Close()
		}
		return err
	}
	pipe.Hold()
	ctx, giveUp := context.WithCancel(t.Context())
	answers, gaveUp := make(chan error, 1), make(chan error, 1)
	go func() { answers <- ask(t.Context(), "/patient") }()
	go func() { gaveUp <- ask(ctx, "/impatient") }()
	both := func(n int) func(context.Context) error {
		return func(context.Context) error {
			pipe.mu.Lock()
			defer pipe.mu.Unlock()
			kept := 0
			for f := range pipe.flows {
				if len(f.kept) > 0 {
					kept++
				}
			}
			if kept != n {
				return ErrNever
			}
			return nil
		}
	}
	if err := Await(t.Context(), "two requests to be held", Exits, both(2)); err != nil {
		t.Fatal(err)
	}
	giveUp()
	if <-gaveUp == nil {
		t.Error("it was answered while the pipe held")
	}
	if err := Await(t.Context(), "one to be given up", Exits, both(1)); err != nil {
		t.Fatal(err)
	}
	pipe.Let()
	if err := <-answers; err != nil || patient.Load() != 1 || impatient.Load() != 0 {
		t.Errorf("%v; %d arrived of the patient, %d of the other", err, patient.Load(), impatient.Load())
	}
	if err := pipe.Cut(); err != nil {
		t.Error(err)
	}
}
