package stage

import (
	"context"
	"errors"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/test/kkp"
	"github.com/portcullis-gitops/portcullis/test/servers"
)

// DefaultRange is what the Seed of a stage adds to every list by itself, as
// KKP's spec.defaultAPIServerAllowedIPRanges.
const DefaultRange = "198.51.100.240/28"

// seedResource is the Seed that examples/seed/config.yaml names.
var seedResource = types.NamespacedName{Namespace: "kubermatic", Name: "eu-west"}

// Seed is a control plane that KKP, as a stand-in, is at work on.
type Seed struct {
	// Plane has the audit log, where it was asked for.
	Plane *servers.ControlPlane
	// Client is an administrator's.
	Client client.Client

	// users guards Plane.User: the authority behind it counts without a lock.
	users sync.Mutex
	stop  context.CancelFunc
	ended chan error // how the stand-in ended
}

// StartSeed starts a control plane and the stand-in for KKP on it. ctx bounds
// the start; Stop ends what was started.
func StartSeed(ctx context.Context, options servers.ControlPlaneOptions) (*Seed, error) {
	plane, err := servers.StartControlPlane(ctx, options)
	if err != nil {
		return nil, err
	}
	s := &Seed{Plane: plane, stop: func() {}}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func (s *Seed) start(ctx context.Context) error {
	cfg := s.Plane.Config
	if err := kkp.Install(ctx, cfg); err != nil {
		return err
	}
	var err error
	if s.Client, err = client.New(cfg, client.Options{}); err != nil {
		return fmt.Errorf("make a client for the seed: %w", err)
	}
	if err := s.createSeed(ctx); err != nil {
		return err
	}
	running, stop := context.WithCancel(context.Background())
	s.stop, s.ended = stop, make(chan error, 1)
	go func() { s.ended <- kkp.Run(running, cfg, kkp.WithSeed(seedResource)) }()
	return nil
}

func (s *Seed) createSeed(ctx context.Context) error {
	namespace := &corev1.Namespace{}
	namespace.SetName(seedResource.Namespace)
	if err := s.Client.Create(ctx, namespace); err != nil {
		return fmt.Errorf("create the namespace %s: %w", namespace.GetName(), err)
	}
	if err := s.Client.Create(ctx, kkp.NewSeed(seedResource, nil, []string{DefaultRange})); err != nil {
		return fmt.Errorf("create the seed %s: %w", seedResource, err)
	}
	return nil
}

// user is access of an administrator's with a name of its own, for the audit
// log.
func (s *Seed) user(name string) (*rest.Config, error) {
	s.users.Lock()
	defer s.users.Unlock()
	return s.Plane.User(name, "system:masters")
}

// Stop ends the stand-in and the control plane. It may be called again.
func (s *Seed) Stop() error {
	s.stop()
	var err error
	if s.ended != nil {
		err = <-s.ended
		s.ended = nil
	}
	return errors.Join(err, s.Plane.Stop())
}
