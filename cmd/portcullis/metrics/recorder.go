package metrics

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Recorder keeps the few figures that no state tells afterwards. Its methods
// may be called by many at once.
type Recorder struct {
	applied  *prometheus.HistogramVec
	requests *prometheus.CounterVec
}

// NewRecorder has recorded nothing.
func NewRecorder() *Recorder {
	applied, requests := of(pushToApplied), of(forgeRequests)
	return &Recorder{
		applied: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: applied.Name, Help: applied.Help,
			Buckets: []float64{0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600}}, applied.Labels),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: requests.Name, Help: requests.Help}, requests.Labels),
	}
}

// Applied notes how long a commit of a source took to reach its clusters.
func (r *Recorder) Applied(source string, took time.Duration) {
	r.applied.WithLabelValues(source).Observe(max(0, took).Seconds())
}

// Requests is who is to be told the code of each answer of a source's Git
// host; 0 where none came.
func (r *Recorder) Requests(source, forge string) func(code int) {
	return func(code int) { r.requests.WithLabelValues(source, forge, codeLabel(code)).Inc() }
}

// codeLabel bounds the codes to those that HTTP has: the host chooses them.
func codeLabel(code int) string {
	switch {
	case code == 0:
		return "none"
	case http.StatusText(code) == "":
		return "other"
	}
	return strconv.Itoa(code)
}
