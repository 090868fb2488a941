package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/apply"
)

// admissionTime bounds how long a start waits for the answers.
const admissionTime = 10 * time.Second

// admitted fails where the seed does not know the account, or does not let it
// read what the reconciler lives on: informers would ask again and again, in
// silence, and nothing would be applied. It asks for one object of each kind,
// before an election, so that a standby says it too. That the API server is away
// is no answer, and left to those that try again.
func (o *runOptions) admitted(ctx context.Context, seed *rest.Config, scheme *runtime.Scheme) error {
	c, err := client.New(seed, client.Options{Scheme: scheme})
	if err != nil {
		return fmt.Errorf("connect to the seed: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, admissionTime)
	defer cancel()
	for _, asked := range []struct {
		what string
		list client.ObjectList
		of   []client.ListOption
	}{
		{"clusters", &apply.ClusterList{}, nil},
		{"services front-loadbalancer", &corev1.ServiceList{}, []client.ListOption{client.MatchingFields{"metadata.name": "front-loadbalancer"}}},
		{"configmaps of namespace " + o.namespace, &corev1.ConfigMapList{}, []client.ListOption{client.InNamespace(o.namespace)}},
	} {
		err := c.List(ctx, asked.list, append(asked.of, client.Limit(1))...)
		if apierrors.IsUnauthorized(err) || apierrors.IsForbidden(err) {
			return fmt.Errorf("list %s on the seed: %w", asked.what, err)
		}
	}
	return nil
}

// refusals tells of a seed that refuses its informers while they run, for the
// credentials expired or a right was taken away. They go on with what they know,
// and try again; what is said of it by itself names neither the seed nor a way
// out.
type refusals struct {
	log logr.Logger
	now func() time.Time

	mu   sync.Mutex
	told time.Time // zero: nothing yet
}

// retell is how far apart two tellings are: each informer is refused again and
// again.
const retell = time.Minute

// missed is the informers' watch error handler.
func (r *refusals) missed(ctx context.Context, reflector *toolscache.Reflector, err error) {
	if reflector != nil {
		toolscache.DefaultWatchErrorHandler(ctx, reflector, err)
	}
	if !apierrors.IsUnauthorized(err) && !apierrors.IsForbidden(err) {
		return
	}
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if since := now.Sub(r.told); !r.told.IsZero() && since >= 0 && since < retell {
		return
	}
	r.told = now
	r.log.Error(err, "The seed refuses to be read; nothing new is seen there, and what was known may be old", "hint", hint(err))
}
