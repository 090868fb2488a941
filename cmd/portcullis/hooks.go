package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"

	"github.com/spf13/pflag"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/portcullis-gitops/portcullis/cmd/portcullis/hooks"
)

// hookOptions are where webhooks are taken.
type hookOptions struct {
	address, certFile, keyFile, peers string
}

func (o *hookOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&o.address, "webhook-address", "", `address of POST /hooks/SOURCE for webhooks, 0: off (default: :9443 in a cluster, else off); plain HTTP without --webhook-cert-file`)
	f.StringVar(&o.certFile, "webhook-cert-file", "", "certificate of the webhooks' address, PEM; re-read")
	f.StringVar(&o.keyFile, "webhook-key-file", "", "key of that certificate")
	f.StringVar(&o.peers, "webhook-peers", "", "`URL` of all replicas, such as http://a-headless-service:9443: a replica that does not lead passes webhooks on to them")
}

// check tells what is wrong with them before anything is contacted.
func (o *hookOptions) check() error {
	if (o.certFile == "") != (o.keyFile == "") {
		return errors.New("--webhook-cert-file and --webhook-key-file: both or none")
	}
	_, err := o.others()
	return err
}

func (o *hookOptions) others() (*url.URL, error) {
	if o.peers == "" {
		return nil, nil
	}
	u, err := url.Parse(o.peers)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" {
		return nil, errors.New("--webhook-peers: want http://NAME:PORT or https://NAME:PORT")
	}
	return u, nil
}

// addHooks has webhooks taken, by every replica, where a source has a secret
// for them.
func (o *runOptions) addHooks(mgr ctrl.Manager, r *reconciler, term *tenure) error {
	sources := map[string]hooks.Source{}
	for _, f := range r.sources {
		if c := f.conf.Checks; c.WebhookSecretFile != "" {
			sources[f.conf.Name] = hooks.Source{Forge: c.Forge, SecretFile: c.WebhookSecretFile, Wake: f.hook}
		}
	}
	if len(sources) == 0 || o.hooks.address == "0" {
		return nil
	}
	options := hooks.Options{Sources: sources, Log: r.log.WithName("webhooks"), Leads: func() bool { return term.leads() == nil }}
	peers, err := o.hooks.others()
	if err != nil {
		return err
	}
	if peers != nil {
		options.Pass = hooks.Peers(peers, net.DefaultResolver.LookupHost)
	}
	handler := hooks.New(options)
	err = mgr.Add(everywhere(func(ctx context.Context) error {
		return hooks.Serve(ctx, o.hooks.address, handler, o.hooks.certFile, o.hooks.keyFile)
	}))
	if err != nil {
		return fmt.Errorf("take webhooks: %w", err)
	}
	return nil
}

// hook has the source polled at once. One that comes while it is polled counts
// for the next poll, many count as one.
func (f *follower) hook() {
	select {
	case f.hooked <- struct{}{}:
	default:
	}
}
