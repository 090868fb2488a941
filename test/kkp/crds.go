package kkp

import (
	"embed"
	"fmt"
	"io/fs"
	"os"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// CRDsVariable names the environment variable that holds a folder with KKP's
// own CRDs, as they come with a KKP release.
const CRDsVariable = "KKP_CRDS"

//go:embed crds/*.yaml
var trimmed embed.FS

// The files that are looked for in that folder, named as KKP names them.
var crdFiles = [...]string{"kubermatic.k8c.io_clusters.yaml", "kubermatic.k8c.io_seeds.yaml"}

// CRDs answers the definitions of Cluster and Seed: KKP's own where KKP_CRDS
// is set, the trimmed ones of this package else.
func CRDs() ([]*apiextensionsv1.CustomResourceDefinition, error) {
	dir, err := fs.Sub(trimmed, "crds")
	if err != nil {
		return nil, fmt.Errorf("open the embedded CRDs: %w", err)
	}
	if own := os.Getenv(CRDsVariable); own != "" {
		dir = os.DirFS(own)
	}
	var out []*apiextensionsv1.CustomResourceDefinition
	for _, name := range crdFiles {
		crd, err := readCRD(dir, name)
		if err != nil {
			return nil, err
		}
		out = append(out, crd)
	}
	return out, nil
}

func readCRD(dir fs.FS, name string) (*apiextensionsv1.CustomResourceDefinition, error) {
	raw, err := fs.ReadFile(dir, name)
	if err != nil {
		return nil, fmt.Errorf("read CRD (is %s right?): %w", CRDsVariable, err)
	}
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.Unmarshal(raw, crd); err != nil {
		return nil, fmt.Errorf("parse CRD %s: %w", name, err)
	}
	return crd, nil
}
