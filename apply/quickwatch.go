package apply

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/json"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
)

// WatchQuickly has the cache take the events of Clusters apart by itself. Each
// list that is written comes back as an event, and KKP's status makes many more:
// client-go goes over the text of one nine times, for it does not know what it is
// about to see, and that is most of what a written list costs here. A line holds
// an event of a Cluster, and two passes are enough: one that the text is JSON, one
// that picks the few fields.
//
// The options are those of CacheOptions, the connection is the manager's.
func WatchQuickly(o *cache.Options, connection *rest.Config) error {
	client, err := rest.RESTClientFor(clusterConfig(connection))
	if err != nil {
		return fmt.Errorf("make a client that watches clusters: %w", err)
	}
	o.NewInformer = func(from toolscache.ListerWatcher, kind runtime.Object, resync time.Duration, by toolscache.Indexers) toolscache.SharedIndexInformer {
		if _, isCluster := kind.(*Cluster); isCluster {
			from = &toolscache.ListWatch{
				ListWithContextFunc:  toolscache.ToListerWatcherWithContext(from).ListWithContext,
				WatchFuncWithContext: watchClusters(client),
			}
		}
		return toolscache.NewSharedIndexInformer(from, kind, resync, by)
	}
	return nil
}

// watchClusters begins a watch of all Clusters, in the way of rest.Request.Watch.
func watchClusters(client rest.Interface) toolscache.WatchFuncWithContext {
	return func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
		o.Watch, o.AllowWatchBookmarks = true, true
		body, err := client.Get().Resource("clusters").VersionedParams(&o, metav1.ParameterCodec).Stream(ctx)
		switch {
		case err != nil && (utilnet.IsProbableEOF(err) || utilnet.IsTimeout(err)): // a watch that ends at once is begun anew
			return watch.NewEmptyWatch(), nil
		case err != nil:
			return nil, err
		}
		reporter := apierrors.NewClientErrorReporter(http.StatusInternalServerError, http.MethodGet, "ClientWatchDecoding")
		return watch.NewStreamWatcher(newClusterEvents(body), reporter), nil
	}
}

// clusterEvents takes a watch of Clusters apart. The API server ends each event
// by a line feed, and writes none within (k8s.io/apimachinery, the JSON
// serializer). Were it otherwise, the text would be no JSON, and the watch end.
type clusterEvents struct {
	body io.Closer
	text *bufio.Reader
	long []byte // of an event that is longer than what is read at once
}

const (
	readsAtOnce = 16 << 10
	// longestEvent is that of client-go, and ten times what etcd stores.
	longestEvent = 16 << 20
)

func newClusterEvents(body io.ReadCloser) *clusterEvents {
	return &clusterEvents{body: body, text: bufio.NewReaderSize(body, readsAtOnce)}
}

// Close ends the watch.
func (d *clusterEvents) Close() { _ = d.body.Close() } // nothing was written

// Decode answers the next event.
func (d *clusterEvents) Decode() (watch.EventType, runtime.Object, error) {
	line, err := d.line()
	if err != nil {
		return "", nil, err
	}
	var event struct {
		Type   watch.EventType `json:"type"`
		Object *Cluster        `json:"object"`
	}
	err = json.Unmarshal(line, &event)
	switch event.Type {
	case watch.Error: // the object is another, and does not fit
		return refusal(line)
	case watch.Added, watch.Modified, watch.Deleted, watch.Bookmark:
	default:
		err = errors.Join(err, fmt.Errorf("it is of the type %q", event.Type))
	}
	if err == nil && (event.Object == nil || event.Object.Kind != "Cluster") {
		err = errors.New("it is of no Cluster")
	}
	if err != nil {
		return "", nil, fmt.Errorf("take apart an event of clusters: %w", err)
	}
	return event.Type, event.Object, nil
}

// refusal is an event by which the API server ends a watch, and says why.
func refusal(line []byte) (watch.EventType, runtime.Object, error) {
	var event struct {
		Object metav1.Status `json:"object"`
	}
	if err := json.Unmarshal(line, &event); err != nil {
		return "", nil, fmt.Errorf("take apart the end of a watch of clusters: %w", err)
	}
	return watch.Error, &event.Object, nil
}

// line is the next one that is not empty. It is good until the next call.
func (d *clusterEvents) line() ([]byte, error) {
	d.long = d.long[:0]
	for {
		part, err := d.text.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull), len(d.long) > 0:
			d.long = append(d.long, part...)
			part = d.long
		}
		switch blank := len(bytes.TrimSpace(part)) == 0; {
		case len(d.long) > longestEvent:
			return nil, fmt.Errorf("an event of clusters has more than %d bytes", longestEvent)
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && !blank:
			return nil, io.ErrUnexpectedEOF // half an event
		case err != nil:
			return nil, err
		case !blank:
			return part, nil
		}
	}
}
