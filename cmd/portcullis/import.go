package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/portcullis-gitops/portcullis/cmd/portcullis/importer"
	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/render/report"
)

type importOptions struct {
	kubeconfig, seedResource string
	policy, seed             string
	project, out             string
	all, dryRun              bool
	progress                 *progress
}

func importCommand() *cobra.Command {
	o := &importOptions{}
	cmd := &cobra.Command{
		Use:   "import --out DIR",
		Short: "Write the lists that are live on a seed to files",
		Long: "Import is how an existing installation starts: the list of each cluster of the\n" +
			"seed becomes a file TENANT/CLUSTER-ID.yaml below DIR, so that a first sync changes\n" +
			"nothing but to add the platform's ranges; which those are is said beforehand. The\n" +
			"seed is only read. Several seeds can go into one folder.\n\n" +
			"A tenant is the one that --policy gives the project to, else the project itself. The\n" +
			"provider's own ranges stay out of the files: those of the policy, and with\n" +
			"--seed-resource those of KKP's Seed. White space around a value and bits behind its\n" +
			"length are left away, which changes nobody's access; what else is no canonical prefix\n" +
			"is kept out. Both are reported, and so is a cluster whose file `check` would refuse.\n" +
			"A file that is there already is never touched.\n\n" +
			"Exit code: 0 every list is in a file, 1 some is not or not all of it, 2 could not run.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.progress = newProgress(cmd.ErrOrStderr(), time.Now)
			return o.run(cmd.Context(), cmd.OutOrStdout(), time.Now())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.out, "out", "", "folder to write to, made if missing (required)")
	f.StringVar(&o.project, "project", "", "the clusters of this KKP project only")
	f.StringVar(&o.seed, "seed", "", "name of the seed, for the files; may be left out where the policy knows a single one")
	f.StringVar(&o.policy, "policy", "", "file with the provider's Policy; without it the defaults hold, and platform ranges are not known")
	f.BoolVar(&o.all, "all", false, "write a file with access: unmanaged for each cluster whose list is not imported")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would be written, and write nothing")
	bindSeed(f, &o.kubeconfig, &o.seedResource)
	_ = cmd.MarkFlagRequired("out")
	return cmd
}

func (o *importOptions) run(ctx context.Context, out io.Writer, now time.Time) error {
	p, err := readPolicy(o.policy)
	if err != nil {
		return err
	}
	if o.seed, err = importedSeed(o.seed, p); err != nil {
		return err
	}
	defer o.progress.end()
	im, err := o.read(ctx, p, now)
	if err != nil {
		return err
	}
	im.Look(o.project, o.all)
	if o.project != "" && len(im.Found) == 0 {
		return fmt.Errorf("no cluster of project %q on the seed", o.project)
	}
	if !o.dryRun {
		if err := o.write(im); err != nil {
			return err
		}
	}
	o.progress.end()
	if err := o.tell(out, im); err != nil {
		return err
	}
	if im.Incomplete() {
		return errFindings
	}
	return nil
}

// importedSeed is the name for the files; it may stay empty where no policy
// says that there are several.
func importedSeed(seed string, p *policy.Policy) (string, error) {
	known := p.SeedNames()
	switch {
	case known == nil:
		return seed, nil
	case seed == "" && len(known) == 1:
		return known[0], nil
	case seed == "":
		return "", fmt.Errorf("the policy knows several seeds: say which this is with --seed %s", strings.Join(known, "|"))
	case !slices.Contains(known, seed):
		return "", fmt.Errorf("--seed %s: the policy knows %s", seed, strings.Join(known, ", "))
	}
	return seed, nil
}

// read gathers what is live, and what is in the folder already.
func (o *importOptions) read(ctx context.Context, p *policy.Policy, now time.Time) (*importer.Importer, error) {
	inventory, err := readSeed(ctx, o.kubeconfig, o.seedResource, o.progress)
	if err != nil {
		return nil, err
	}
	im := &importer.Importer{Dir: o.out, Seed: o.seed, Policy: p, Inventory: inventory, Now: now}
	im.Files, err = readTree(ctx, o.out, "", o.progress)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return im, nil
}

// write makes the files, within the folder whatever links are in it.
func (o *importOptions) write(im *importer.Importer) error {
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(o.out)
	if err != nil {
		return err
	}
	defer root.Close()
	for i, c := range im.Found {
		o.progress.at("writing files", i+1, len(im.Found))
		if c.Outcome != importer.Written {
			continue
		}
		if err := create(root, c.Path, c.Text); errors.Is(err, fs.ErrExist) {
			c.Leave("a file is there already")
		} else if err != nil {
			return fmt.Errorf("write %s: %w", im.Shown(c), err)
		}
	}
	return nil
}

// create makes a file that is not there yet, whole or not at all.
func create(root *os.Root, name, text string) error {
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, root.Remove(name))
	}
	return nil
}

// tell says what became of each cluster, and what a first sync would add.
func (o *importOptions) tell(out io.Writer, im *importer.Importer) error {
	var b strings.Builder
	wrote := "wrote"
	if o.dryRun {
		wrote = "would write"
	}
	for _, c := range im.Found {
		title := report.Escape(c.Cluster.Title())
		switch c.Outcome {
		case importer.Written:
			fmt.Fprintf(&b, "%s %s: %s: %s\n", wrote, report.Escape(im.Shown(c)), title, c.Content())
		case importer.Left:
			fmt.Fprintf(&b, "left: %s: %s: %s\n", report.Escape(im.Shown(c)), title, report.Escape(c.Reason))
		case importer.NotImported:
			fmt.Fprintf(&b, "not imported: %s: %s\n", title, report.Escape(c.Reason))
		}
		for _, v := range c.Changed {
			fmt.Fprintf(&b, "made canonical: %s: %s\n", title, report.Escape(v.String()))
		}
		for _, p := range c.KeptOut {
			fmt.Fprintf(&b, "kept out: %s: %s\n", title, report.Escape(p.Message))
			if p.Fix != "" {
				fmt.Fprintf(&b, "    fix: %s\n", report.Escape(p.Fix))
			}
		}
	}
	tellSync(&b, im)
	if o.policy == "" {
		b.WriteString("not known: platform ranges, which a first sync adds too: needs --policy\n")
	}
	if o.seedResource == "" {
		b.WriteString("not known: what KKP itself lets in (the ranges of the Seed object): needs --seed-resource\n")
	}
	fmt.Fprintf(&b, "%d clusters: %d %s, %d in Git already, %d left, %d not imported, %d without a list\n", len(im.Found),
		im.Count(importer.Written), strings.Replace(wrote, "wrote", "written", 1), im.Count(importer.InGit), im.Count(importer.Left), im.Count(importer.NotImported), im.Count(importer.Unrestricted))
	_, err := io.WriteString(out, b.String())
	return err
}

// mostNamed is how many clusters are named one by one.
const mostNamed = 10

// tellSync says which addresses a first sync would let in besides.
func tellSync(b *strings.Builder, im *importer.Importer) {
	adds, order := im.Additions()
	for _, what := range order {
		ids := adds[what]
		more := ""
		if len(ids) > mostNamed {
			more = fmt.Sprintf(" and %d more", len(ids)-mostNamed)
			ids = ids[:mostNamed]
		}
		fmt.Fprintf(b, "a first sync adds %s on %s%s\n", report.Escape(what), strings.Join(ids, ", "), more)
	}
	if len(order) == 0 && im.Count(importer.Written) > 0 {
		b.WriteString("a first sync adds no address\n")
	}
}
