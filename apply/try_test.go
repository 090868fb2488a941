package apply

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/render"
)

// asked is a seed that notes what it is asked, and answers as it is told to.
type asked struct {
	client.Client
	clusters map[string]*Cluster
	tries    []string // cluster
	wet      int      // that were no dry run
	answer   error
}

func (a *asked) Get(_ context.Context, key client.ObjectKey, to client.Object, _ ...client.GetOption) error {
	cl, there := a.clusters[key.Name]
	if !there {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "clusters"}, key.Name)
	}
	*to.(*Cluster) = *cl
	return nil
}

func (a *asked) Patch(_ context.Context, obj client.Object, _ client.Patch, options ...client.PatchOption) error {
	var o client.PatchOptions
	o.ApplyOptions(options)
	if len(o.DryRun) == 0 {
		a.wet++
	}
	a.tries = append(a.tries, obj.GetName())
	return a.answer
}

// trying is a seed with so many clusters, c0 and so on, and trials on it.
func trying(n int) (*asked, *Trials) {
	a := &asked{clusters: map[string]*Cluster{}}
	for i := range n {
		cl := &Cluster{}
		cl.Name, cl.UID, cl.Generation = fmt.Sprint("c", i), types.UID(fmt.Sprint("uid-", i)), 1
		cl.Spec.ExposeStrategy = render.ExposeLoadBalancer
		a.clusters[cl.Name] = cl
	}
	return a, NewTrials(&Controller{client: a, clock: clock.RealClock{}})
}

func listOf(i int, cidrs ...string) *render.Wanted {
	w := &render.Wanted{Cluster: fmt.Sprint("c", i), UID: fmt.Sprint("uid-", i), Access: render.Restricted}
	for _, cidr := range cidrs {
		w.List = append(w.List, netip.MustParsePrefix(cidr))
	}
	return w
}

func (a *asked) want(t *testing.T, what string, tries int) {
	t.Helper()
	if len(a.tries) != tries || a.wet > 0 {
		t.Errorf("%s: the seed was asked %d times (%d of them for good), want %d", what, len(a.tries), a.wet, tries)
	}
}

// TestTrialsAreRemembered by the Cluster's generation and the list: pull
// requests are judged anew whenever the branch moves.
func TestTrialsAreRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, trials := trying(2)
		try := func(w *render.Wanted, want string) {
			t.Helper()
			if words, err := trials.Try(t.Context(), w); words != want || err != nil {
				t.Errorf("the seed says %q, %v; want %q", words, err, want)
			}
		}
		for range 3 {
			try(listOf(0, "192.0.2.0/24"), "")
		}
		a.want(t, "the same three times", 1)
		try(listOf(0, "192.0.2.0/25"), "")
		a.want(t, "another list", 2)
		try(listOf(1, "192.0.2.0/24"), "")
		a.want(t, "another cluster", 3)
		a.answer = apierrors.NewForbidden(schema.GroupResource{Resource: "clusters"}, "c0",
			errors.New(`admission webhook "clusters.kubermatic.k8c.io" denied the request: the CNI version is no longer supported`))
		a.clusters["c0"].Generation = 2
		for range 3 {
			try(listOf(0, "192.0.2.0/24"), "KKP refused the cluster: the CNI version is no longer supported")
		}
		a.want(t, "a cluster that is another by now", 4)
		a.answer = nil // they support it again, and the cluster is the same
		time.Sleep(firstRefusal - time.Second)
		try(listOf(0, "192.0.2.0/24"), "KKP refused the cluster: the CNI version is no longer supported")
		a.want(t, "a refusal that stands", 4)
		time.Sleep(time.Second)
		for range 2 {
			try(listOf(0, "192.0.2.0/24"), "")
		}
		a.want(t, "a refusal of a while ago", 5)
		time.Sleep(24 * time.Hour)
		try(listOf(0, "192.0.2.0/24"), "")
		a.want(t, "a list that would be taken, a day later", 5)
		a.clusters["c0"].UID = "made-anew"
		try(listOf(0, "192.0.2.0/24"), "")
		a.want(t, "a cluster that the plan does not know", 5)
	})
}

// TestNothingToTry is asked of nobody.
func TestNothingToTry(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*asked, *render.Wanted){
		"no cluster":          func(a *asked, _ *render.Wanted) { delete(a.clusters, "c0") },
		"no load balancer":    func(a *asked, _ *render.Wanted) { a.clusters["c0"].Spec.ExposeStrategy = "NodePort" },
		"no list":             func(_ *asked, w *render.Wanted) { w.List = nil },
		"another by the name": func(a *asked, _ *render.Wanted) { a.clusters["c0"].UID = "x" },
	} {
		a, trials := trying(1)
		w := listOf(0, "192.0.2.0/24")
		change(a, w)
		if words, err := trials.Try(t.Context(), w); words != "" || err != nil {
			t.Errorf("%s: %q, %v", name, words, err)
		}
		a.want(t, name, 0)
	}
}

// TestSeedThatCannotBeAskedIsAskedAgain: trouble is neither a word against the
// list nor one for it.
func TestSeedThatCannotBeAskedIsAskedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, trials := trying(1)
		for name, trouble := range map[string]error{
			"away":          errors.New("dial tcp 192.0.2.1:6443: connect: connection refused"),
			"busy":          apierrors.NewTooManyRequests("later", 1),
			"timeout":       apierrors.NewServerTimeout(schema.GroupResource{Resource: "clusters"}, "patch", 1),
			"webhook fails": apierrors.NewInternalError(errors.New(`failed calling webhook "clusters.kubermatic.k8c.io": no endpoints available`)),
		} {
			a.answer = trouble
			if words, err := trials.Try(t.Context(), listOf(0, "192.0.2.0/24")); err == nil || words != "" {
				t.Errorf("%s: %q, %v; want an error", name, words, err)
			}
		}
		before := len(a.tries)
		a.answer = nil
		if words, err := trials.Try(t.Context(), listOf(0, "192.0.2.0/24")); err != nil || words != "" {
			t.Errorf("back again: %q, %v", words, err)
		}
		a.want(t, "back again", before+1)
	})
}

// TestTwoTrialsASecond: no more than that, and none for who does not wait any longer.
func TestTwoTrialsASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, trials := trying(50)
		began := time.Now()
		for i := range 50 {
			if _, err := trials.Try(t.Context(), listOf(i, "192.0.2.0/24")); err != nil {
				t.Fatal(err)
			}
			if most := 2 + int(2*time.Since(began)/time.Second) + 1; len(a.tries) > most {
				t.Fatalf("%d requests after %s", len(a.tries), time.Since(began))
			}
		}
		a.want(t, "all", 50)
		if took, want := time.Since(began), 24*time.Second; took != want { // two at once, then one by one
			t.Errorf("50 trials took %s", took)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := trials.Try(gone, listOf(0, "192.0.2.0/25")); !errors.Is(err, context.Canceled) {
			t.Errorf("who has gone is answered %v", err)
		}
		if _, err := trials.Try(gone, listOf(0, "192.0.2.0/24")); err != nil {
			t.Errorf("what is remembered takes no waiting: %v", err)
		}
		a.want(t, "who has gone", 50)
	})
}
