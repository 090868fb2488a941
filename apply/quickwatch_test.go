package apply

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// modified is an event as the API server writes it: with fields that are not
// known here, a secret among them, and the name of a field in other letters.
const modified = `{"type":"MODIFIED","object":{"apiVersion":"kubermatic.k8c.io/v1","kind":"Cluster",` +
	`"metadata":{"name":"qvjdddt72t","uid":"u-1","resourceVersion":"42","managedFields":[{"manager":"portcullis","operation":"Apply",` +
	`"fieldsType":"FieldsV1","fieldsV1":{"f:spec":{"f:apiServerAllowedIPRanges":{"f:cidrBlocks":{}}}}}]},` +
	`"spec":{"exposeStrategy":"LoadBalancer","apiServerAllowedIPRanges":{"cidrBlocks":["192.0.2.0/24"]},"APIServerAllowedIPRanges":{"cidrBlocks":["0.0.0.0/0"]}},` +
	`"status":{"namespaceName":"cluster-qvjdddt72t","address":{"adminToken":"secret"}}}}` + "\n"

const (
	bookmark = `{"type":"BOOKMARK","object":{"kind":"Cluster","apiVersion":"kubermatic.k8c.io/v1","metadata":{"resourceVersion":"43","annotations":{"k8s.io/initial-events-end":"true"}}}}` + "\n"
	ended    = `{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version","reason":"Expired","code":410}}` + "\n"
)

// decoding is a watch of that text, which comes byte by byte.
func decoding(text string) *clusterEvents {
	return newClusterEvents(io.NopCloser(iotest.OneByteReader(strings.NewReader(text))))
}

func TestEventsOfClustersAreTakenApart(t *testing.T) {
	t.Parallel()
	d := decoding("\n" + modified + bookmark + ended + modified)
	for _, want := range []watch.EventType{watch.Modified, watch.Bookmark, watch.Error, watch.Modified} {
		kind, obj, err := d.Decode()
		if err != nil || kind != want {
			t.Fatalf("got %q, %v, want %q", kind, err, want)
		}
		switch kind {
		case watch.Modified:
			c := obj.(*Cluster)
			if c.Name != "qvjdddt72t" || c.UID != "u-1" || c.ResourceVersion != "42" || c.Status.NamespaceName != "cluster-qvjdddt72t" ||
				!ours(c) || strings.Join(liveList(c).CIDRs, " ") != "192.0.2.0/24" {
				t.Errorf("the Cluster is %+v with the list %v", c, liveList(c))
			}
		case watch.Bookmark:
			at, err := meta.NewAccessor().ResourceVersion(obj)
			if err != nil || at != "43" || obj.(*Cluster).Annotations[metav1.InitialEventsAnnotationKey] != "true" {
				t.Errorf("the bookmark is %+v, %v", obj, err)
			}
		case watch.Error:
			if status := obj.(*metav1.Status); status.Reason != metav1.StatusReasonExpired || status.Code != 410 {
				t.Errorf("the watch ends with %+v", status)
			}
		}
	}
	if _, _, err := d.Decode(); !errors.Is(err, io.EOF) {
		t.Errorf("the end is %v", err)
	}
}

// An event may be longer than what is read at once, and the one after it is
// another.
func TestLongEventsOfClustersAreTakenApart(t *testing.T) {
	t.Parallel()
	name := strings.Repeat("n", 3*readsAtOnce)
	d := decoding(strings.Replace(modified, `"exposeStrategy"`, `"humanReadableName":"`+name+`","exposeStrategy"`, 1) + modified)
	for _, want := range []string{name, ""} {
		_, obj, err := d.Decode()
		if err != nil {
			t.Fatal(err)
		}
		if got := obj.(*Cluster).Spec.HumanReadableName; got != want {
			t.Errorf("a name of %d bytes, want %d", len(got), len(want))
		}
	}
}

// What is no event of a Cluster ends the watch: it is never taken for one.
func TestWhatIsNoEventOfAClusterIsRefused(t *testing.T) {
	t.Parallel()
	for about, text := range map[string]string{
		"no JSON":                 "<html>\n",
		"half an event":           modified[:200],
		"a break within an event": modified[:200] + "\n" + modified[200:],
		"two events on a line":    strings.TrimSpace(modified) + modified,
		"no object":               `{"type":"ADDED"}` + "\n",
		"another kind":            strings.Replace(modified, `"Cluster"`, `"Seed"`, 1),
		"no type":                 strings.Replace(modified, `"MODIFIED"`, `""`, 1),
		"another type":            strings.Replace(modified, `"MODIFIED"`, `"MOVED"`, 1),
		"no list of texts":        strings.Replace(modified, `["192.0.2.0/24"]`, `"192.0.2.0/24"`, 1),
	} {
		if kind, obj, err := decoding(text).Decode(); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%s: %q, %+v, %v", about, kind, obj, err)
		}
	}
}
