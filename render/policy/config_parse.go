package policy

import (
	"strings"
	"time"

	"github.com/portcullis-gitops/portcullis/render/document"
)

// The defaults of a Config.
const (
	defaultSchedule = "@every 1m"
	defaultBranch   = "main"
	defaultRate     = 20 // writes a second
	defaultDeadline = 15 * time.Minute
)

// ParseConfig reads a Config. It is to be used only where there are no
// problems, but for PolicyFile: that is there as soon as it could be read, so
// that the faults of both files can be shown at once. Names of files are as
// written: see Resolve.
func ParseConfig(content []byte) (*Config, []document.Problem) {
	doc, problems := document.DecodeKind[ConfigDocument](content, KindConfig)
	r := &configReader{reporter: reporter{problems}, doc: &doc}
	r.out = &Config{
		Seed:         doc.Seed.V,
		SeedResource: r.seedResource(doc.SeedResource),
		Schedule:     r.schedule(doc.Schedule),
		PolicyFile:   r.text("policyFile", doc.PolicyFile),
		Console:      r.console(&doc.Console),
		ApplyRate:    r.rate(doc.Apply.Rate),
		Freeze:       r.freeze(),
	}
	r.sources()
	return r.out, r.finish()
}

// configReader turns a document into a Config, gathering what is wrong.
type configReader struct {
	reporter
	doc *ConfigDocument
	out *Config
}

func (r *configReader) seedResource(v document.Value[string]) string {
	if !v.Set {
		return ""
	}
	namespace, name, _ := strings.Cut(v.V, "/")
	if !document.ValidName(namespace) || !validSubdomain(name) {
		r.report(v.Pos, "kubermatic/"+r.doc.Seed.V, "seedResource is %s, where namespace/name of a Seed object belongs", quote(v.V))
	}
	return v.V
}

// validSubdomain tells whether s is a name that objects can have (RFC 1123).
func validSubdomain(s string) bool {
	const longest = 253
	for _, label := range strings.Split(s, ".") {
		if !document.ValidName(label) {
			return false
		}
	}
	return len(s) <= longest
}

func (r *configReader) schedule(v document.Value[string]) string {
	if !v.Set {
		return defaultSchedule
	}
	if _, err := ParseSchedule(v.V); err != nil {
		r.report(v.Pos, `"@every 1m", or five fields such as "*/5 * * * *"`, "schedule is %s: %s", quote(v.V), plain(err.Error()))
	}
	return v.V
}

func (r *configReader) rate(v document.Value[float64]) float64 {
	switch {
	case !v.Set:
		return defaultRate
	case v.V < 0:
		r.report(v.Pos, "0 for no limit", "rate is %g writes a second, which is less than none", v.V)
	}
	return v.V
}

func (r *configReader) freeze() []Freeze {
	var out []Freeze
	for _, f := range r.doc.Freeze.Items {
		if f.Cluster.Set && f.Cluster.V != WholeSeed && !document.ValidCluster(f.Cluster.V) {
			r.report(f.Cluster.Pos, `a cluster's ID, or "*" for the seed`, "%s is no cluster's ID", quote(f.Cluster.V))
		}
		switch {
		case f.Until.Set && !strings.ContainsAny(f.Until.Raw, "tT"):
			r.report(f.Until.Pos, f.Until.Raw+"T06:00:00Z", "until is a day, where a time belongs")
		case !f.Until.Set:
			r.instead(f.Until.Pos, "invalid-date", "2026-11-30T06:00:00Z")
		}
		out = append(out, Freeze{Cluster: f.Cluster.V, Until: f.Until.V.End, Reason: f.Reason.V})
	}
	return out
}
