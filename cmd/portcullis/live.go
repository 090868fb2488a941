package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/types"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// liveFlags say that a folder is held against a real seed, and against which.
type liveFlags struct {
	on                       bool
	kubeconfig, seedResource string
}

func (o *offline) bindLive(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.live.on, "live", false, "ask the seed for its clusters; it is only read")
	bindSeed(f, &o.live.kubeconfig, &o.live.seedResource)
}

func bindSeed(f *pflag.FlagSet, kubeconfig, resource *string) {
	f.StringVar(kubeconfig, "kubeconfig", "", "kubeconfig of the seed")
	f.StringVar(resource, "seed-resource", "", "KKP's Seed object, NAMESPACE/NAME, whose own ranges KKP adds to every list; without it they count as none")
}

// inventory is what is known of the clusters, and of which seed: nothing
// without --live.
func (o *offline) inventory(ctx context.Context, p *policy.Policy, files []render.File) (render.Inventory, string, error) {
	if err := o.knownSeed(p, files); err != nil {
		return render.Inventory{}, "", err
	}
	if !o.live.on {
		if o.live.kubeconfig != "" || o.live.seedResource != "" {
			return render.Inventory{}, "", errors.New("--kubeconfig and --seed-resource say which seed to ask: they need --live")
		}
		return render.Inventory{}, o.seed, nil
	}
	seed, err := o.liveSeed(p, files)
	if err != nil {
		return render.Inventory{}, "", err
	}
	known, err := readSeed(ctx, o.live.kubeconfig, o.live.seedResource, o.progress)
	return known, seed, err
}

// knownSeed holds --seed against what the files name, where no policy says which
// seeds there are: of a misspelt one nothing would be found, and all be well.
// What names none may be for any.
func (o *offline) knownSeed(p *policy.Policy, files []render.File) error {
	if o.seed == "" || p.SeedNames() != nil {
		return nil
	}
	for _, f := range files {
		for _, a := range f.Parsed.Allowlists {
			if a.Spec.Seed.V == o.seed || !a.Spec.Seed.Set {
				return nil
			}
		}
	}
	if named := namedSeeds(files); len(named) > 0 {
		return fmt.Errorf("--seed %s: the files name %s", o.seed, strings.Join(named, ", "))
	}
	return nil
}

// liveSeed is the name of the seed that is asked: a seed does not know it.
func (o *offline) liveSeed(p *policy.Policy, files []render.File) (string, error) {
	known := p.SeedNames()
	if known == nil {
		if known = namedSeeds(files); o.seed != "" && !slices.Contains(known, o.seed) {
			known = append(known, o.seed)
		}
	}
	switch {
	case p.SeedNames() == nil && len(known) > 1:
		return "", fmt.Errorf("--live asks one seed, and there are several (%s): give the --policy, which tells them apart", strings.Join(known, ", "))
	case o.seed != "":
		return o.seed, nil
	case len(known) == 1:
		return known[0], nil
	case len(known) == 0:
		return "unnamed", nil
	}
	return "", fmt.Errorf("--live asks one seed: which of %s is it? Say --seed", strings.Join(known, ", "))
}

// namedSeeds are the seeds that the files name, sorted.
func namedSeeds(files []render.File) []string {
	var out []string
	for _, f := range files {
		for _, a := range f.Parsed.Allowlists {
			if a.Spec.Seed.Set {
				out = append(out, a.Spec.Seed.V)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// readSeed asks a seed for what a plan needs to know of it.
func readSeed(ctx context.Context, kubeconfig, resource string, p *progress) (render.Inventory, error) {
	key, err := seedKey(resource)
	if err != nil {
		return render.Inventory{}, err
	}
	c, err := seedClient(kubeconfig)
	if err != nil {
		return render.Inventory{}, err
	}
	return apply.ReadInventory(ctx, p.seed(c), key)
}

func seedKey(resource string) (types.NamespacedName, error) {
	if resource == "" {
		return types.NamespacedName{}, nil
	}
	namespace, name, ok := strings.Cut(resource, "/")
	if !ok || namespace == "" || name == "" || strings.Contains(name, "/") {
		return types.NamespacedName{}, fmt.Errorf("--seed-resource %q: want NAMESPACE/NAME of a Seed object, such as kubermatic/eu-west", resource)
	}
	return types.NamespacedName{Namespace: namespace, Name: name}, nil
}

// notChecked is what needs a seed, or a policy.
func (o *offline) notChecked() []string {
	var out []string
	switch {
	case !o.live.on:
		out = append(out,
			"foreign-cluster, unknown-cluster (whose the clusters are, and whether they are there): needs a seed",
			"unsupported-expose-strategy (how the clusters are exposed): needs a seed",
			"clusterSelector (which clusters it selects): needs a seed")
	case o.live.seedResource == "":
		out = append(out, "what KKP itself lets in (the ranges of the Seed object): needs --seed-resource")
	}
	if o.policy == "" {
		out = append(out, "unknown-seed, provider groups' addresses, platform ranges: needs --policy")
	}
	return out
}

// withoutHistory is the base of a check without history: as the rules have it, what
// depends on the change takes the milder way, and tests are judged.
func withoutHistory(known bool) *render.Base {
	if !known {
		return nil
	}
	return render.Restore("", nil, nil, nil, nil, nil)
}
