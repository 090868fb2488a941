package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/portcullis-gitops/portcullis/apply"
)

// TestHints are those for what a script does not bring about.
func TestHints(t *testing.T) {
	t.Parallel()
	clusters := schema.GroupResource{Group: "kubermatic.k8c.io", Resource: "clusters"}
	for name, c := range map[string]struct {
		err  error
		want string // a part of it; empty: none
	}{
		"no KKP":                {&meta.NoKindMatchError{GroupKind: schema.GroupKind{Group: clusters.Group, Kind: "Cluster"}}, "it is no seed's"},
		"no rights":             {apierrors.NewForbidden(clusters, "", errors.New("no")), "rbac.operator"},
		"not logged in":         {apierrors.NewUnauthorized("no"), "log in anew"},
		"another's certificate": {x509.UnknownAuthorityError{}, "another API server"},
		"another's name":        {x509.HostnameError{}, "another API server"},
		"no such host":          {&net.DNSError{Err: "no such host", Name: "seed"}, "no API server answers"},
		"too slow":              {&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, "no API server answers"},
		"no state":              {apply.ErrNoState, "--namespace"},
		"no file":               {os.ErrNotExist, ""},
		"anything else":         {errors.New("no"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := hint(fmt.Errorf("list clusters: %w", c.err))
			if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("it says %q", got)
			}
		})
	}
}
