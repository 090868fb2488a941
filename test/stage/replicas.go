package stage

import (
	"fmt"
	"path/filepath"

	"github.com/portcullis-gitops/portcullis/test/servers"
)

// Replica is another process of the command. It has a folder for its mirrors of
// its own, and a name of its own at the API server, so that what it asks can be
// told from what others ask.
type Replica struct {
	*Process
	User string
}

// ReplicaOptions say how a replica differs from Stage.Run.
type ReplicaOptions struct {
	// Seed is its way to the API server; empty: its own address.
	Seed string
	// Namespace of state and lease; empty: the stage's.
	Namespace string
	// Config changes the Config before it is written; nil leaves it the same.
	Config func(Document)
}

// Replica makes a process that does not run yet. Whoever starts it ends it.
func (s *Stage) Replica(name string, o ReplicaOptions) (*Replica, error) {
	r := &Replica{User: s.User + "-" + name}
	user, err := s.Seed.user(r.User)
	if err != nil {
		return nil, fmt.Errorf("make replica %s: %w", name, err)
	}
	if o.Seed != "" {
		user.Host = "https://" + o.Seed
	}
	if o.Namespace == "" {
		o.Namespace = s.Namespace
	}
	config := s.Config
	if o.Config != nil {
		config = filepath.Join(s.dir, "config-"+name+".yaml")
		document, err := readDocument(s.Config)
		if err != nil {
			return nil, err
		}
		o.Config(document)
		if err := s.writeDocument(config, document); err != nil {
			return nil, err
		}
	}
	kubeconfig := filepath.Join(s.dir, "kubeconfig-"+name)
	if err := servers.WriteKubeconfig(user, kubeconfig); err != nil {
		return nil, err
	}
	r.Process = &Process{Binary: s.Run.Binary, Args: []string{"run", "--config", config, "--kubeconfig", kubeconfig,
		"--namespace", o.Namespace, "--data-dir", filepath.Join(s.dir, "data-"+name)}}
	return r, nil
}
