package servers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

const (
	// startPatience is for a machine that runs other tests at the same time.
	startPatience = 2 * time.Minute
	// stopPatience ends in a kill. There is nothing to lose: the data goes too.
	stopPatience = 2 * time.Second
	// killPatience is how long a killed server may take to be gone.
	killPatience = 10 * time.Second
	// unlimited is client-go's way to say that the client waits for nothing.
	unlimited = -1
)

// ControlPlaneOptions are all optional.
type ControlPlaneOptions struct {
	// CRDs are files and folders of CustomResourceDefinitions to install.
	CRDs []string
	// Assets is the folder of etcd and kube-apiserver; where empty, Find is
	// asked.
	Assets string
	// Audit keeps an audit log, for Audited.
	Audit bool
	// Services is the range of the Services' addresses; empty: one with room
	// for 254.
	Services string
	// Output gets what both servers print; nil discards it.
	Output io.Writer
}

// ControlPlane is a running etcd with a kube-apiserver on it. There is
// no controller manager: nothing collects garbage, and namespaces are not
// deleted.
type ControlPlane struct {
	// Config is an administrator's, without limits on the client's rate.
	Config *rest.Config
	// Kubeconfig is the path of a file that gives the same access.
	Kubeconfig string

	env   *envtest.Environment
	dir   string
	audit string // path of the audit log, empty without
}

// ControlPlaneFor starts a control plane for a test and stops it at its end.
func ControlPlaneFor(tb TB, options ControlPlaneOptions) *ControlPlane {
	tb.Helper()
	if options.Assets == "" {
		Need(tb, "etcd", "kube-apiserver")
	}
	plane, err := StartControlPlane(context.Background(), options)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			tb.Error(err)
		}
	})
	return plane
}

// StartControlPlane starts etcd and kube-apiserver and returns once the API is
// served and the CRDs are established. It must be stopped by Stop: the end of
// ctx only keeps it from being started.
func StartControlPlane(ctx context.Context, options ControlPlaneOptions) (*ControlPlane, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("start a control plane: %w", err)
	}
	dir, err := os.MkdirTemp("", "portcullis-plane-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the control plane: %w", err)
	}
	p := &ControlPlane{dir: dir}
	if err := p.start(options); err != nil {
		return nil, errors.Join(fmt.Errorf("start a control plane: %w", err), p.Stop())
	}
	return p, nil
}

func (p *ControlPlane) start(options ControlPlaneOptions) error {
	env, err := p.environment(options)
	if err != nil {
		return err
	}
	p.env = env
	if p.Config, err = env.Start(); err != nil {
		return err
	}
	p.Config.QPS, p.Config.Burst = unlimited, unlimited
	p.Kubeconfig = filepath.Join(p.dir, "kubeconfig")
	return os.WriteFile(p.Kubeconfig, env.KubeConfig, 0o600)
}

// environment says all that envtest would otherwise take from variables of the
// user's environment.
func (p *ControlPlane) environment(options ControlPlaneOptions) (*envtest.Environment, error) {
	etcd, err := program(options.Assets, "etcd")
	if err != nil {
		return nil, err
	}
	apiserver, err := program(options.Assets, "kube-apiserver")
	if err != nil {
		return nil, err
	}
	data, certs := filepath.Join(p.dir, "etcd"), filepath.Join(p.dir, "certs")
	if err := errors.Join(os.Mkdir(data, 0o700), os.Mkdir(certs, 0o700)); err != nil {
		return nil, err
	}
	existing := false
	env := &envtest.Environment{
		UseExistingCluster:       &existing,
		CRDDirectoryPaths:        options.CRDs,
		ErrorIfCRDPathMissing:    true,
		ControlPlaneStartTimeout: startPatience,
		ControlPlaneStopTimeout:  stopPatience,
	}
	env.ControlPlane.Etcd = &envtest.Etcd{Path: etcd, DataDir: data, Out: options.Output, Err: options.Output}
	env.ControlPlane.APIServer = &envtest.APIServer{Path: apiserver, CertDir: certs, Out: options.Output, Err: options.Output}
	return env, p.flags(env, options)
}

// flags make room for 10,000 objects and their writes: no queues by the
// caller's priority, and space for the history that is never compacted.
func (p *ControlPlane) flags(env *envtest.Environment, options ControlPlaneOptions) error {
	env.ControlPlane.Etcd.Configure().Set("quota-backend-bytes", "8589934592").Set("log-level", "error")
	api := env.ControlPlane.APIServer.Configure()
	api.Set("enable-priority-and-fairness", "false").
		Set("max-requests-inflight", "0").
		Set("max-mutating-requests-inflight", "0").
		Set("profiling", "false")
	if options.Services != "" {
		api.Set("service-cluster-ip-range", options.Services)
	}
	if !options.Audit {
		return nil
	}
	p.audit = filepath.Join(p.dir, "audit.log")
	policy := filepath.Join(p.dir, "audit.yaml")
	api.Set("audit-log-path", p.audit).Set("audit-policy-file", policy)
	return os.WriteFile(policy, []byte(auditPolicy), 0o600)
}

// Compact has etcd forget every version but the newest ones, as a running
// control plane does every five minutes; here nothing else would.
func (p *ControlPlane) Compact(ctx context.Context) error {
	etcd := p.env.ControlPlane.Etcd.URL.JoinPath("v3", "kv")
	var now struct {
		Header struct {
			Revision string `json:"revision"`
		} `json:"header"`
	}
	if err := ask(ctx, etcd.JoinPath("range").String(), `{"key": "AA=="}`, &now); err != nil {
		return fmt.Errorf("compact etcd: %w", err)
	}
	return ask(ctx, etcd.JoinPath("compaction").String(), `{"physical": true, "revision": "`+now.Header.Revision+`"}`, nil)
}

// ask posts JSON to etcd's gateway; a nil answer is not read.
func ask(ctx context.Context, url, question string, answer any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(question))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return errors.Join(err, fmt.Errorf("etcd answered %s: %s", response.Status, text))
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}

// User is access as someone else, by a client certificate: what that user may
// do is up to RBAC. The group system:masters may do all.
func (p *ControlPlane) User(name string, groups ...string) (*rest.Config, error) {
	user, err := p.env.AddUser(envtest.User{Name: name, Groups: groups}, &rest.Config{QPS: unlimited, Burst: unlimited})
	if err != nil {
		return nil, fmt.Errorf("make the user %s: %w", name, err)
	}
	return user.Config(), nil
}

// Stop ends both servers and removes their data. It may be called again.
func (p *ControlPlane) Stop() error {
	var err error
	if p.env != nil {
		err = p.stop()
	}
	if err := errors.Join(err, os.RemoveAll(p.dir)); err != nil {
		return fmt.Errorf("stop the control plane: %w", err)
	}
	return nil
}

// stop has kube-apiserver end first. It lingers as long as a client keeps a
// watch open, and is then killed, which envtest takes for an error: whether
// the port is free is what counts.
func (p *ControlPlane) stop() error {
	env := p.env
	p.env = nil
	err := env.Stop()
	if err == nil {
		return nil
	}
	address := env.ControlPlane.APIServer.SecureServing.HostPort()
	for deadline := time.Now().Add(killPatience); answers(address); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			return err
		}
	}
	return nil
}

func program(assets, name string) (string, error) {
	if assets == "" {
		return Find(name)
	}
	path, err := filepath.Abs(filepath.Join(assets, name))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("find %s in %s: %w", name, assets, ErrMissing)
	}
	return path, nil
}
