package apply

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/render"
)

// Trials asks the seed what it would say of a list, without consequences: KKP's
// webhooks have no side effects, and judge a dry run as they judge a write. It
// asks two a second at most, so that pull requests, of which a tenant may open
// many, take nothing from the seed's writes: one of fifty clusters takes half a
// minute. It remembers what was answered for a Cluster's generation and list; a
// refusal for as long as one of a write stands, for KKP may refuse a Cluster for
// what others then mend. Safe for use at once.
type Trials struct {
	c       *Controller
	limiter *rate.Limiter

	mu       sync.Mutex
	answered map[string]answer // by cluster, generation and list
}

// answer is what the seed said of a list.
type answer struct {
	words string // empty: it would be taken
	at    time.Time
}

const (
	trialsASecond  = 2
	mostRemembered = 10_000
)

// NewTrials are trials on the controller's seed.
func NewTrials(c *Controller) *Trials {
	return &Trials{c: c, limiter: rate.NewLimiter(trialsASecond, trialsASecond), answered: map[string]answer{}}
}

// Try answers why the seed would refuse a cluster's list, in its own words;
// empty where it would take it, and where there is nothing to ask about: no
// such Cluster, none with a load balancer of its own, no list. An error says
// that it could not be asked.
func (t *Trials) Try(ctx context.Context, w *render.Wanted) (words string, err error) {
	cl := &Cluster{}
	err = t.c.client.Get(ctx, request(w.Cluster).NamespacedName, cl)
	switch {
	case client.IgnoreNotFound(err) != nil:
		return "", fmt.Errorf("get cluster %s from the cache: %w", w.Cluster, err)
	case err != nil, string(cl.UID) != w.UID, cl.Spec.ExposeStrategy != render.ExposeLoadBalancer, len(w.List) == 0:
		return "", nil
	}
	key := fmt.Sprintf("%s/%d/%s", cl.UID, cl.Generation, strings.Join(render.Strings(w.List), ","))
	if words, known := t.known(key); known {
		return words, nil
	}
	if err := t.limiter.Wait(ctx); err != nil {
		return "", fmt.Errorf("wait to try cluster %s: %w", w.Cluster, err)
	}
	words, err = t.ask(ctx, cl, w)
	if err == nil {
		t.remember(key, words)
	}
	return words, err
}

func (t *Trials) ask(ctx context.Context, cl *Cluster, w *render.Wanted) (string, error) {
	_, err := t.c.sendList(ctx, cl, w.List, client.DryRunAll)
	if err == nil {
		return "", nil
	}
	switch what, words, _ := judge(err); what {
	case trySlowly, giveUp:
		return words, nil
	case planAgain:
		return "", nil // it is another Cluster by now
	}
	return "", fmt.Errorf("try cluster %s: %w", w.Cluster, err)
}

func (t *Trials) known(key string) (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a, ok := t.answered[key]
	if ok && a.words != "" {
		age := t.c.clock.Since(a.at)
		ok = 0 <= age && age < firstRefusal
	}
	return a.words, ok
}

func (t *Trials) remember(key, words string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.answered) >= mostRemembered {
		clear(t.answered)
	}
	t.answered[key] = answer{words, t.c.clock.Now()}
}
