package main

import "strings"

// tool is one program that is built from a module of its own, in the folder of
// its name.
type tool struct {
	name   string // of the folder, and of the program
	module string // whose version is the tool's
	pkg    string // the main package in it
	cgo    bool   // needs a C compiler
	tags   string // build tags, separated by spaces
	// ldflags for the linker, given the module's version; nil for none.
	ldflags func(version string) string
	// usual is how long the build takes on two cores with nothing in Go's
	// build cache, in words.
	usual string
	// source says that the module's own files are needed at run time, from the
	// module cache.
	source bool
}

// all are the tools in the order in which they are built: the quick ones first.
func all() []tool {
	return []tool{
		{
			name: "staticcheck", module: "honnef.co/go/tools", pkg: "honnef.co/go/tools/cmd/staticcheck",
			usual: "half a minute",
		},
		{
			name: "helm", module: "helm.sh/helm/v3", pkg: "helm.sh/helm/v3/cmd/helm",
			usual: "2 minutes",
		},
		{
			name: "etcd", module: "go.etcd.io/etcd/server/v3", pkg: "go.etcd.io/etcd/server/v3",
			usual: "1 minute",
		},
		{
			name: "kube-apiserver", module: "k8s.io/kubernetes", pkg: "k8s.io/kubernetes/cmd/kube-apiserver",
			ldflags: kubernetesVersion, usual: "5 to 10 minutes",
		},
		{
			// SQLite is C. Gitea reads templates and translations from its
			// source: a release would have them embedded by its own build.
			name: "gitea", module: "code.gitea.io/gitea", pkg: "code.gitea.io/gitea",
			cgo: true, tags: "sqlite sqlite_unlock_notify", source: true,
			ldflags: func(v string) string { return "-X main.Version=" + strings.TrimPrefix(v, "v") },
			usual:   "7 to 10 minutes",
		},
		{
			// For `make release`: what goes into the command, as CycloneDX.
			name: "cyclonedx-gomod", module: "github.com/CycloneDX/cyclonedx-gomod", pkg: "github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod",
			usual: "1 minute",
		},
	}
}

// controlPlaneTools are what an API server takes.
func controlPlaneTools() []tool {
	chosen, err := choose(all(), []string{"etcd", "kube-apiserver"})
	if err != nil {
		panic(err) // the names are in the list above
	}
	return chosen
}

// kubernetesVersion tells kube-apiserver its version, which a build outside
// its repository does not know: clients and its own feature gates ask for it.
func kubernetesVersion(version string) string {
	const at = "-X k8s.io/component-base/version."
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	if len(parts) < 3 {
		return at + "gitVersion=" + version
	}
	return at + "gitVersion=" + version + " " + at + "gitMajor=" + parts[0] + " " + at + "gitMinor=" + parts[1]
}

func namesOf(tools []tool) []string {
	names := make([]string, len(tools))
	for i, t := range tools {
		names[i] = t.name
	}
	return names
}
