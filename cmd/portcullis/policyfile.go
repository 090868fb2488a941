package main

import (
	"bytes"
	"context"
	"os"
	"time"

	"github.com/go-logr/logr"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/render/profile"
)

// policyFile is the Policy as it was last read without a fault.
type policyFile struct {
	path    string
	current *policy.Policy
	content []byte // last looked at, valid or not
	unread  bool   // it could not be read when last looked at
	invalid bool   // what was last looked at
	config  *policy.Config
}

func openPolicy(path string, config *policy.Config) (*policyFile, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f := &policyFile{path: path, content: content, config: config}
	f.current, err = f.parse(content)
	return f, err
}

func (f *policyFile) parse(content []byte) (*policy.Policy, error) {
	p, problems := policy.ParsePolicy(content, lint.Changeable)
	if len(problems) > 0 {
		return nil, &configError{f.path, problems}
	}
	if problems := policy.Validate(f.config, p); len(problems) > 0 {
		return nil, &configError{f.path, problems}
	}
	return p, nil
}

// reread takes up a policy that has changed, and tells whether it did. One that
// is not valid leaves the last good one in force.
func (f *policyFile) reread(log logr.Logger) bool {
	content, err := os.ReadFile(f.path)
	if err != nil {
		if !f.unread { // it is looked at every few seconds
			log.Error(err, "Cannot read the policy: the last good one stays in force")
		}
		f.unread = true
		return false
	}
	f.unread = false
	if bytes.Equal(content, f.content) {
		return false
	}
	f.content = content
	next, err := f.parse(content)
	if f.invalid = err != nil; f.invalid {
		log.Error(err, "The policy is not valid: the last good one stays in force")
		return false
	}
	f.current = next
	log.Info("Took up a changed policy")
	return true
}

// balancer is the load balancer of the Config's seed, as states tell of it. One
// that is not named has no name there, either.
func (f *policyFile) balancer() apply.Balancer {
	p := f.current.Seeds[f.config.Seed].Profile
	if p.Name == profile.Generic().Name {
		p.Name = ""
	}
	return apply.Balancer{Name: p.Name, Ignores: p.Enforces == profile.No}
}

// stale tells whether the policy in force is not what the file says.
func (f *policyFile) stale() bool { return f.unread || f.invalid }

// policyEvery is how often the policy is looked at, however rare polls are or
// have become: it is what an operator can change while Git is away.
const policyEvery = 10 * time.Second

// lookAtPolicy tells whether there is news of the policy; that it cannot be read
// any more, or can again, is some: an alert hangs on it.
func (r *reconciler) lookAtPolicy(ctx context.Context) bool {
	stale := r.policy.stale()
	return r.followPolicy(ctx) || r.policy.stale() != stale
}

// followPolicy plans for a policy that has changed, and tells whether it has.
func (r *reconciler) followPolicy(ctx context.Context) bool {
	if !r.policy.reread(r.log) {
		return false
	}
	r.controller.SetBalancer(r.policy.balancer())
	for _, f := range r.sources {
		f.tenants = r.tenants()
	}
	r.replan(ctx)
	return true
}

// tenants are, by project, those that are not named by it.
func (r *reconciler) tenants() map[string]string {
	out := map[string]string{}
	for tenant, projects := range r.policy.current.Tenants {
		for _, project := range projects {
			if project != tenant {
				out[project] = tenant
			}
		}
	}
	if len(out) == 0 {
		return nil // as it is read back
	}
	return out
}
