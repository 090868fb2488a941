package main

import (
	"testing"

	"github.com/portcullis-gitops/portcullis/render/policy"
)

func TestWebhookFlags(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		options hookOptions
		ok      bool
	}{
		"nothing":             {hookOptions{}, true},
		"certificate and key": {hookOptions{certFile: "a", keyFile: "b"}, true},
		"no key":              {hookOptions{certFile: "a"}, false},
		"no certificate":      {hookOptions{keyFile: "a"}, false},
		"peers":               {hookOptions{peers: "http://portcullis-hooks:9443"}, true},
		"peers over TLS":      {hookOptions{peers: "https://portcullis-hooks:9443"}, true},
		"peers by name":       {hookOptions{peers: "portcullis-hooks:9443"}, false},
		"peers by path":       {hookOptions{peers: "/hooks"}, false},
		"a user":              {hookOptions{peers: "http://a:b@portcullis-hooks"}, false},
	} {
		if err := tt.options.check(); (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestIdleSettings: webhooks that nobody takes are told of.
func TestIdleSettings(t *testing.T) {
	t.Parallel()
	config := &policy.Config{Sources: []policy.Source{{Name: "s", Checks: policy.Checks{Forge: policy.ForgeGitea, PullRequests: true, WebhookSecretFile: "f"}}}}
	for address, want := range map[string]int{"0": 1, ":9443": 0} {
		o := runOptions{hooks: hookOptions{address: address}}
		if got := o.idle(config); len(got) != want {
			t.Errorf("at %s: %q", address, got)
		}
	}
}
