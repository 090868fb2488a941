package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
	"golang.org/x/time/rate"
)

// Limits on whoever connects.
const (
	headTime, bodyTime, answerTime, idleTime = 5 * time.Second, 15 * time.Second, 60 * time.Second, time.Minute
	mostHeader                               = 16 << 10
	mostConnections                          = 256 // further ones wait until others end

	// mostASecond bounds the requests, mostAhead those that come at once before
	// others wait for their turn: a program that asks again as soon as it is
	// answered would take all the processors else, and the reconciler's with them.
	mostASecond, mostAhead = 200, 100
)

// Serve answers at a listener until ctx ends.
func Serve(ctx context.Context, listener net.Listener, h http.Handler) error {
	server := &http.Server{Handler: paced(h), ReadHeaderTimeout: headTime, ReadTimeout: bodyTime, WriteTimeout: answerTime,
		IdleTimeout: idleTime, MaxHeaderBytes: mostHeader,
		ErrorLog: log.New(io.Discard, "", 0)} // of connections, which anybody can make
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(netutil.LimitListener(listener, mostConnections)); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the pages: %w", err)
	}
	return nil
}

// paced has requests wait for their turn, and refuses those that would wait for
// too long.
func paced(next http.Handler) http.Handler {
	turns := rate.NewLimiter(mostASecond, mostAhead)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), mostPatience)
		err := turns.Wait(ctx) // fails at once where the turn is later than that
		cancel()
		if err != nil {
			w.Header().Set("Retry-After", retryAfter)
			http.Error(w, errBusy.words, errBusy.status)
			return
		}
		next.ServeHTTP(w, r)
	})
}
