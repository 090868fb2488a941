package main

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// leading runs on the leader only.
type leading func(context.Context) error

func (l leading) Start(ctx context.Context) error { return l(ctx) }
func (leading) NeedLeaderElection() bool          { return true }

// everywhere runs on each replica, once the informers have their first lists.
type everywhere func(context.Context) error

func (e everywhere) Start(ctx context.Context) error { return e(ctx) }
func (everywhere) NeedLeaderElection() bool          { return false }

var _, _ manager.LeaderElectionRunnable = leading(nil), everywhere(nil)

// elects tells whether there may be several replicas. A dry run leads by
// itself, for it changes nothing.
func (o *runOptions) elects() bool { return o.leaderElect && !o.dryRun }

func (o *runOptions) term() *tenure {
	if !o.elects() {
		return newTenure(0)
	}
	return newTenure(leaseOf(o.lease).term())
}

// elect has the manager take part in the election. What it answers is to be
// called with the manager.
func (o *runOptions) elect(options *ctrl.Options, seed *rest.Config, term *tenure, log logr.Logger) (func(ctrl.Manager), error) {
	if !o.elects() {
		return func(ctrl.Manager) {}, nil
	}
	t := leaseOf(o.lease)
	lock, lease, err := newLeaseLock(seed, o.namespace, t, term, log)
	if err != nil {
		return nil, err
	}
	options.LeaderElection, options.LeaderElectionID, options.LeaderElectionNamespace = true, leaseName, o.namespace
	options.LeaderElectionResourceLockInterface, options.LeaderElectionReleaseOnCancel = lock, true
	options.LeaseDuration, options.RenewDeadline, options.RetryPeriod = &t.lease, &t.renew, &t.retry
	return func(mgr ctrl.Manager) {
		//lint:ignore SA1019 the elector's interface is that of core/v1 Events
		lease.LockConfig.EventRecorder = mgr.GetEventRecorderFor(lock.Identity())
	}, nil
}

// errNotSynced is the answer to whoever asks too early.
var errNotSynced = errors.New("the seed's clusters have not been listed yet")

// addProbes says when the process is alive, and when it is ready: as soon as it
// knows the seed's clusters, be it the leader or a standby, so that a rollout
// waits for a replica that can take over, and goes on once there is one. That
// the Git host is away makes none unready: nothing would be gained.
func addProbes(mgr ctrl.Manager) error {
	var synced atomic.Bool
	err := mgr.Add(everywhere(func(context.Context) error {
		synced.Store(true)
		return nil
	}))
	return errors.Join(err, mgr.AddHealthzCheck("ping", healthz.Ping), mgr.AddReadyzCheck("informers", func(*http.Request) error {
		if !synced.Load() {
			return errNotSynced
		}
		return nil
	}))
}

// keepServices has a standby keep the load balancers' Services, as it keeps the
// Clusters. Otherwise the controller would ask for them when it begins to lead.
func keepServices(mgr ctrl.Manager) error {
	_, err := mgr.GetCache().GetInformer(context.Background(), &corev1.Service{}, cache.BlockUntilSynced(false))
	return err
}
