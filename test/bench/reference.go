package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/test/servers"
)

// bareUser is the bare loop's name at the API server, and its field manager.
const bareUser = "bare-loop"

// reference is the bare loop: it sends the bodies that the command has to send,
// and neither watches, nor decides, nor decodes anything.
type reference struct {
	rest *rest.RESTClient
	// bodies for each cluster, and for those of no file, by the edition of the
	// policy: that of the first sync, and the one after it.
	bodies, spare [editions][][]byte
	// lists are what the first sync has to leave on each cluster.
	lists [][]string
}

// editions of the policy.
const editions = 2

func newReference(plane *servers.ControlPlane) (*reference, error) {
	config, err := plane.User(bareUser, "system:masters")
	if err != nil {
		return nil, err
	}
	config.APIPath, config.GroupVersion = "/apis", &schema.GroupVersion{Group: "kubermatic.k8c.io", Version: "v1"}
	config.NegotiatedSerializer = serializer.NewCodecFactory(clientgoscheme.Scheme).WithoutConversion()
	client, err := rest.RESTClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("make the bare loop's client: %w", err)
	}
	return &reference{rest: client}, nil
}

// prepare makes the bodies as the command will: from the same files, by the
// same package.
func (r *reference) prepare(ctx context.Context, b *bench) error {
	uids, err := b.uids(ctx)
	if err != nil {
		return err
	}
	for edition := range editions {
		plan, err := b.plan(uids, edition)
		if err != nil {
			return err
		}
		for i := range b.spare()[1] {
			list, into := plan.Clusters[b.cluster(0)].List, &r.spare[edition]
			if i < b.n {
				list, into = plan.Clusters[b.cluster(i)].List, &r.bodies[edition]
			}
			if edition == 0 && i < b.n {
				r.lists = append(r.lists, render.Strings(list))
			}
			body, err := render.Patch(b.cluster(i), uids[b.cluster(i)], list)
			if err != nil {
				return err
			}
			*into = append(*into, body)
		}
	}
	return nil
}

func (b *bench) uids(ctx context.Context) (map[string]string, error) {
	list, err := b.list(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, c := range list {
		out[c.GetName()] = string(c.GetUID())
	}
	return out, nil
}

func (b *bench) list(ctx context.Context) ([]unstructured.Unstructured, error) {
	var list unstructured.UnstructuredList
	list.SetAPIVersion("kubermatic.k8c.io/v1")
	list.SetKind("ClusterList")
	if err := b.client.List(ctx, &list); err != nil {
		return nil, fmt.Errorf("list the clusters: %w", err)
	}
	return list.Items, nil
}

// apply sends one body by server-side apply, by force.
func (r *reference) apply(ctx context.Context, cluster string, body []byte) error {
	err := r.rest.Patch(types.ApplyPatchType).Resource("clusters").Name(cluster).
		Param("fieldManager", bareUser).Param("force", strconv.FormatBool(true)).
		Body(body).Do(ctx).Error()
	if err != nil {
		return fmt.Errorf("apply to %s: %w", cluster, err)
	}
	return nil
}

// bareRound writes all clusters twice.
func (b *bench) bareRound(ctx context.Context) error {
	if err := b.reset(ctx, b.all()); err != nil {
		return err
	}
	before, err := b.spent("self")
	if err != nil {
		return err
	}
	first, err := b.barePass(ctx, b.bare.bodies[0])
	after, err2 := b.spent("self")
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	b.series.add("bare first", first)
	b.series.add("bare first processor", (after.own - before.own).Seconds())
	b.series.add("bare first servers", (after.servers - before.servers).Seconds())
	b.say("bare loop: %.0f clusters a second", first)
	if b.options.brief {
		return nil
	}
	other := b.watchBystander(ctx)
	update, err := b.barePass(ctx, b.bare.bodies[1])
	p99, err2 := other.end()
	b.series.add("bare update", update)
	b.series.add("bare others", p99)
	b.say("bare loop: %.0f clusters a second for the second time; another client waits up to %.1f ms", update, p99)
	return errors.Join(err, err2)
}

func (b *bench) barePass(ctx context.Context, bodies [][]byte) (float64, error) {
	began := time.Now()
	err := each(ctx, b.all(), func(ctx context.Context, i int) error {
		return b.bare.apply(ctx, b.cluster(i), bodies[i])
	})
	if err != nil {
		return 0, err
	}
	events, err := b.trail.events(bareUser, began, time.Time{})
	if err != nil {
		return 0, err
	}
	return perSecond(listWrites(events), b.n)
}
