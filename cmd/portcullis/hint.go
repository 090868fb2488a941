package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"path"
	"path/filepath"
	"syscall"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/report"
)

// hint says what to do next about an error that ends a command; nothing where
// the error says it itself. Of what may be meant by an error of the network it
// says what is asked most often: which seed was it that was asked?
func hint(err error) string {
	switch {
	case isWithoutConfig(err):
		return "there is no kubeconfig: name the seed's with --kubeconfig FILE, or in KUBECONFIG"
	case isWrongContext(err):
		return "`kubectl config get-contexts` lists what the kubeconfig has; `kubectl config use-context NAME` chooses"
	case apierrors.IsUnauthorized(err):
		return "the credentials of the kubeconfig are not valid, or not any more: log in anew; `kubectl auth whoami` asks for the same"
	case apierrors.IsForbidden(err):
		return "an account lacks a right: the chart grants what `status` and `approve` take to the groups of rbac.operator, what `import` and --live take to those of rbac.reader, and what `run` takes to its own account"
	case meta.IsNoMatchError(err):
		return "this API server knows no Clusters of KKP, so it is no seed's: `kubectl config current-context` says which one was asked"
	case errors.Is(err, apply.ErrNoState):
		return "`kubectl get deployments -A -l app.kubernetes.io/name=portcullis` finds its namespace, for --namespace; `kubectl config current-context` says which seed was asked"
	case isUntrusted(err):
		return "the kubeconfig is of another API server than the one at its address, or older than its certificate: fetch it anew"
	case isUnreachable(err):
		return "no API server answers there: is it the seed's kubeconfig, and is the way (VPN, proxy, tunnel) open? `kubectl get --raw /readyz` asks the same"
	case errors.Is(err, git.ErrRepositoryNotExists):
		return "give a folder of a clone of the repository with -C"
	case errors.Is(err, plumbing.ErrReferenceNotFound):
		return "a branch that was never checked out here is named with its remote, such as origin/main; `git fetch` brings what is new"
	case errors.As(err, &folderError{}):
		return "DIR, or -C DIR, is the folder that holds the tenants' folders, such as tenants in the repository"
	}
	return ""
}

// folderError is that of a DIR that is no folder.
type folderError struct{ error }

func (e folderError) Unwrap() error { return e.error }

// isWithoutConfig looks into what is wrapped, which client-go does not.
func isWithoutConfig(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if clientcmd.IsEmptyConfig(err) {
			return true
		}
	}
	return false
}

func isWrongContext(err error) bool {
	return clientcmd.IsContextNotFound(err) || clientcmd.IsConfigurationInvalid(err)
}

func isUntrusted(err error) bool {
	var (
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
	)
	return errors.As(err, &unknown) || errors.As(err, &hostname) || errors.As(err, &invalid)
}

func isUnreachable(err error) bool {
	var unknown *net.DNSError
	var network net.Error
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.ENETUNREACH) ||
		errors.As(err, &unknown) || errors.As(err, &network) && network.Timeout()
}

// hintFolder tells what folderHint has to say, beside the result.
func (o *offline) hintFolder(dir string, files []render.File) {
	if next := folderHint(dir, o.tenant, files); next != "" && o.said != nil {
		fmt.Fprintf(o.said, "hint: %s\n", report.Escape(next))
	}
}

// folderHint says what is meant, most likely, where what was read of a folder is
// nobody's, or all of it that of one tenant whom nobody would call so.
func folderHint(dir, tenant string, files []render.File) string {
	tenants := map[string]bool{}
	for _, f := range files {
		tenants[f.Tenant] = true
	}
	switch {
	case tenant != "":
		return ""
	case len(files) == 0:
		return "there is no YAML file in a folder of " + dir + ": DIR holds a folder for each tenant"
	case len(tenants) == 1 && tenants[""]:
		return "each folder in DIR is a tenant, and no file is in one: name the tenant whose folder this is with --tenant NAME, or give the folder above"
	case len(tenants) == 1 && tenants["tenants"]:
		return "all files are read as those of one tenant, \"tenants\": is DIR " + path.Join(filepath.ToSlash(dir), "tenants") + "?"
	}
	return ""
}

// usageHint says how a command is called that was called wrongly.
func usageHint(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return fmt.Sprintf("`%s --help` lists the commands", cmd.CommandPath())
	}
	return fmt.Sprintf("%s; `%s --help` says more", cmd.UseLine(), cmd.CommandPath())
}
