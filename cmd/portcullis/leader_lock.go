package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	coordinationv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// leaseName is that of the Lease, in the namespace of the state.
const leaseName = "portcullis"

// leaseLock is the lock of client-go's leader election, tied to a term: taking
// and renewing the lease begins and prolongs it, giving the lease back ends it,
// and once it is over nothing is asked of the lock any more. The elector uses it
// from one goroutine.
type leaseLock struct {
	resourcelock.Interface
	term   *tenure
	log    logr.Logger
	holder string // as last read
}

// newLeaseLock makes a lock with a client of its own, which the term does not
// bind: a standby asks for the lease too.
func newLeaseLock(seed *rest.Config, namespace string, t timing, term *tenure, log logr.Logger) (*leaseLock, *resourcelock.LeaseLock, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, nil, fmt.Errorf("name this replica: %w", err)
	}
	config := rest.AddUserAgent(rest.CopyConfig(seed), "leader-election")
	config.Timeout = max(t.renew/2, time.Second) // one request that hangs is not yet the end
	client, err := coordinationv1.NewForConfig(config)
	if err != nil {
		return nil, nil, fmt.Errorf("make a client for the lease: %w", err)
	}
	lease := &resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Namespace: namespace, Name: leaseName},
		Client:     client,
		LockConfig: resourcelock.ResourceLockConfig{Identity: host + "_" + string(uuid.NewUUID())},
	}
	return &leaseLock{Interface: lease, term: term, log: log}, lease, nil
}

// Get reads who has the lease.
func (l *leaseLock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	if l.term.ctx.Err() != nil {
		return nil, nil, errTermOver
	}
	ctx, cancel := l.term.bound(ctx)
	defer cancel()
	record, raw, err := l.Interface.Get(ctx)
	if err == nil {
		l.holder = record.HolderIdentity
	}
	return record, raw, err
}

// Create takes a lease that nobody had before.
func (l *leaseLock) Create(ctx context.Context, r resourcelock.LeaderElectionRecord) error {
	return l.renew(ctx, r, l.Interface.Create)
}

// Update takes the lease, renews it, or gives it back.
func (l *leaseLock) Update(ctx context.Context, r resourcelock.LeaderElectionRecord) error {
	if r.HolderIdentity == "" {
		return l.giveBack(ctx, r)
	}
	return l.renew(ctx, r, l.Interface.Update)
}

func (l *leaseLock) renew(ctx context.Context, r resourcelock.LeaderElectionRecord, do func(context.Context, resourcelock.LeaderElectionRecord) error) error {
	if l.term.ctx.Err() != nil {
		return errTermOver
	}
	ctx, cancel := l.term.bound(ctx)
	defer cancel()
	first := errors.Is(l.term.leads(), errNotLeading)
	if err := do(ctx, r); err != nil {
		return err
	}
	if err := l.term.renewed(seenAs(r)); err != nil {
		return err
	}
	if first {
		l.log.Info("This replica leads from now on", "lease", l.Describe(), "identity", l.Identity())
	}
	return nil
}

// seenAs is the earliest moment from which a standby can count a renewal. That
// is not when it was sent: a standby counts from when it first saw this record,
// as JSON, with times in whole seconds. The elector sends the same record again
// where the answer to it was lost, and two within a second look the same.
func seenAs(r resourcelock.LeaderElectionRecord) time.Time {
	renewed := r.RenewTime.Time // with the monotonic clock
	return renewed.Add(-time.Duration(renewed.Nanosecond()))
}

// giveBack lets another replica begin at once. The elector knows only whom it
// saw last: a lease that somebody else took meanwhile is not touched.
func (l *leaseLock) giveBack(ctx context.Context, r resourcelock.LeaderElectionRecord) error {
	if l.holder != l.Identity() {
		return fmt.Errorf("give back lease %s: it is held by %q", l.Describe(), l.holder)
	}
	l.term.close()
	return l.Interface.Update(ctx, r)
}

// RecordEvent leaves an Event beside the lease; only the leader writes.
func (l *leaseLock) RecordEvent(words string) {
	if l.term.leads() == nil {
		l.Interface.RecordEvent(words)
	}
}
