package apply

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/fields"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// approvals is the ConfigMap in which approvals are written down, by source.
// Who may write it may approve: it takes a right on the seed, never a text in
// a repository.
const approvals = "portcullis-approvals"

// Approval lets what is held of a source, up to a commit, go ahead.
type Approval struct {
	Source string    `json:"source"`
	Commit string    `json:"commit"` // full SHA
	Reason string    `json:"reason"`
	By     string    `json:"by"` // as the API server knows the caller
	At     time.Time `json:"at"`
}

// Approve writes an approval down; the reconciler sees it at once. A newer one
// of the same source takes an older one's place.
func Approve(ctx context.Context, c client.Client, namespace string, a Approval) error {
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	cm := &corev1.ConfigMap{}
	err = c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: approvals}, cm)
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("read approvals %s/%s: %w", namespace, approvals, err)
	}
	missing := err != nil
	cm.Namespace, cm.Name = namespace, approvals
	if cm.Data == nil {
		cm.Data = map[string]string{}
	}
	cm.Data[a.Source] = string(text)
	if missing {
		cm.Labels = map[string]string{managedLabel: Manager}
		err = c.Create(ctx, cm)
	} else {
		err = c.Update(ctx, cm)
	}
	if err != nil {
		return fmt.Errorf("write approvals %s/%s: %w", namespace, approvals, err)
	}
	return nil
}

// WhoAmI is the caller's name, as the API server knows it.
func WhoAmI(ctx context.Context, c client.Client) (string, error) {
	review := &authenticationv1.SelfSubjectReview{}
	if err := c.Create(ctx, review); err != nil {
		return "", fmt.Errorf("ask the API server who is calling: %w", err)
	}
	return review.Status.UserInfo.Username, nil
}

// Approvals are read from a manager's cache, and news of them is signalled.
type Approvals struct {
	reader    client.Reader
	namespace string
	news      mailbox
}

// CacheApprovals adds what NewApprovals needs to the cache's options.
func CacheApprovals(o *cache.Options, namespace string) {
	o.ByObject[&corev1.ConfigMap{}] = cache.ByObject{Namespaces: map[string]cache.Config{
		namespace: {FieldSelector: fields.OneTermEqualSelector("metadata.name", approvals)},
	}}
}

// NewApprovals watches the approvals in a namespace.
func NewApprovals(ctx context.Context, c cache.Cache, namespace string) (*Approvals, error) {
	a := &Approvals{reader: c, namespace: namespace, news: newMailbox()}
	informer, err := c.GetInformer(ctx, &corev1.ConfigMap{}, cache.BlockUntilSynced(false))
	if err != nil {
		return nil, fmt.Errorf("watch approvals: %w", err)
	}
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { a.news.signal() },
		UpdateFunc: func(any, any) { a.news.signal() },
	})
	return a, err
}

// News is signalled when there may be a new approval.
func (a *Approvals) News() <-chan struct{} { return a.news }

// Of is the newest approval of a source; false where there is none that can be
// read.
func (a *Approvals) Of(ctx context.Context, source string) (Approval, bool) {
	cm := &corev1.ConfigMap{}
	if err := a.reader.Get(ctx, client.ObjectKey{Namespace: a.namespace, Name: approvals}, cm); err != nil {
		return Approval{}, false
	}
	var out Approval
	err := json.Unmarshal([]byte(cm.Data[source]), &out)
	return out, err == nil && out.Source == source
}

// Approved leaves an Event beside the approvals that says what went ahead, by
// whom and why; a dry run leaves none.
func (c *Controller) Approved(by *Approvals, a Approval) {
	if c.options.DryRun {
		return
	}
	at := &corev1.ObjectReference{APIVersion: "v1", Kind: "ConfigMap", Namespace: by.namespace, Name: approvals}
	c.events.Event(at, corev1.EventTypeNormal, "Approved",
		clip(fmt.Sprintf("%s let what was held of %s up to %s go ahead: %s", a.By, a.Source, a.Commit, a.Reason), maxEvent))
}
