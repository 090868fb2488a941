package stage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/client-go/rest"

	"github.com/portcullis-gitops/portcullis/test/servers"
)

// Options say how one stage differs from another.
type Options struct {
	// Dir is where all of the stage's files go; it must be there.
	Dir string
	// Binary is the path of the command.
	Binary string
	// Suffix tells the stage's names from those of others on the same seed:
	// three characters out of a-z and 0-9. Empty leaves the names as they are.
	Suffix string
	// HTTP serves the repository over HTTP, with a password and a Meter. Else
	// it is a folder (file://).
	HTTP bool
	// Host is another Git host's repository, instead of one of the stage's.
	Host *Host
	// Seed is the way that the reconciler takes to the API server; empty: its
	// own address.
	Seed string
	// Way, where there is one, answers another way to the API server than the
	// reconciler's own access, such as a proxy with it.
	Way func(*rest.Config) (*rest.Config, error)
	// Config and Policy change the documents before they are written.
	Config, Policy func(Document)
}

// Stage is one installation on a seed.
type Stage struct {
	*Repository
	// Seed is shared with others.
	Seed *Seed
	// Run is `portcullis run`; it does not run at first.
	Run *Process
	// HTTP serves the repository; nil where it is a folder or elsewhere.
	HTTP *servers.GitHTTP
	// URL of the repository, as the Config has it.
	URL string
	// Config is the Config's path, Kubeconfig that of the reconciler's access,
	// Namespace where its state is, User its name at the API server.
	Config, Kubeconfig, Namespace, User string

	dir, root   string
	credentials Document
	names       *names
	created     []string // clusters
}

// New sets up a stage: an empty repository, the Config, and access to the
// seed. Neither clusters nor files are there yet, see Populate.
func New(ctx context.Context, seed *Seed, o Options) (*Stage, error) {
	s := &Stage{Seed: seed, dir: o.Dir, names: &names{suffix: o.Suffix}}
	s.Namespace, s.User = "portcullis", "portcullis"
	if o.Suffix != "" {
		s.Namespace, s.User = "portcullis-"+o.Suffix, "portcullis-"+o.Suffix
	}
	for _, c := range ExampleClusters() {
		s.names.add(c.ID, c.Project)
	}
	if err := s.set(ctx, o); err != nil {
		return nil, errors.Join(fmt.Errorf("set the stage: %w", err), s.Close(ctx))
	}
	return s, nil
}

func (s *Stage) set(ctx context.Context, o Options) error {
	var err error
	if s.root, err = moduleRoot(); err != nil {
		return err
	}
	if err := s.host(ctx, o); err != nil {
		return err
	}
	s.Config, s.Kubeconfig = filepath.Join(s.dir, "config.yaml"), filepath.Join(s.dir, "kubeconfig")
	user, err := s.Seed.user(s.User)
	if err != nil {
		return err
	}
	if o.Seed != "" {
		user.Host = "https://" + o.Seed
	}
	if o.Way != nil {
		if user, err = o.Way(user); err != nil {
			return err
		}
	}
	if err := errors.Join(servers.WriteKubeconfig(user, s.Kubeconfig), s.configure(o)); err != nil {
		return err
	}
	s.Run = &Process{Binary: o.Binary, Args: []string{"run", "--config", s.Config, "--kubeconfig", s.Kubeconfig,
		"--namespace", s.Namespace, "--data-dir", filepath.Join(s.dir, "data")}}
	return nil
}

// Populate creates the clusters of the examples and pushes the examples' files
// as the first commit, whose hash it answers.
func (s *Stage) Populate(ctx context.Context) (string, error) {
	if err := s.Create(ctx, ExampleClusters()...); err != nil {
		return "", err
	}
	files, err := readTree(filepath.Join(s.root, "examples", "tenants"))
	if err != nil {
		return "", err
	}
	return s.Push(ctx, Commit{Message: "Keep our allowlists in Git", Write: files})
}

// Close ends what runs and deletes the clusters; the files stay. It may be
// called again.
func (s *Stage) Close(ctx context.Context) error {
	var errs []error
	if s.Run != nil {
		errs = append(errs, s.Run.Stop(ctx))
	}
	if s.HTTP != nil {
		errs = append(errs, s.HTTP.Stop())
	}
	for _, id := range s.created {
		errs = append(errs, s.Delete(ctx, id))
	}
	s.created = nil
	return errors.Join(errs...)
}

// moduleRoot is the nearest folder at or above the working directory with the
// examples in it; modules of tests have none.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the module's root: %w", err)
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "examples", "seed", "config.yaml")); err == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("find the module's root: no examples at or above %s", dir)
		}
	}
}
