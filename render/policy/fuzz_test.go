package policy_test

import (
	"bytes"
	"reflect"
	"testing"
	"unicode/utf8"

	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// FuzzConfig: no bytes make the parser panic, what it says of them does not
// depend on chance, every problem is inside the file, and what passes keeps
// the promises of Config.
func FuzzConfig(f *testing.F) {
	seedCorpus(f, "testdata/config.yaml", leastConfig, source(named, https, path, "checks: {forge: notes}"),
		leastConfig+"schedule: TZ=\n", leastConfig+"freeze: [{cluster: \"*\", until: 2026-11-30T06:00:00Z}]\n")
	f.Fuzz(func(t *testing.T, content []byte) {
		c, problems := policy.ParseConfig(content)
		again, same := policy.ParseConfig(content)
		if !reflect.DeepEqual(c, again) || !reflect.DeepEqual(problems, same) {
			t.Fatal("reads the same bytes in two ways")
		}
		inside(t, content, problems)
		if len(problems) > 0 {
			return
		}
		if _, err := policy.ParseSchedule(c.Schedule); err != nil || c.Seed == "" || c.PolicyFile == "" || c.ApplyRate < 0 {
			t.Errorf("passed: %+v, %v", c, err)
		}
		for _, s := range c.Sources {
			if s.Name == "" || s.URL == "" || s.Branch == "" || (s.Path == "") == (s.Tenant == "") || s.Checks.Deadline <= 0 {
				t.Errorf("passed: %+v", s)
			}
		}
	})
}

// FuzzPolicy: as FuzzConfig, for Policy.
func FuzzPolicy(f *testing.F) {
	seedCorpus(f, "testdata/policy.yaml", leastPolicy, seed("{platform: [{cidr: 0.0.0.0/0}]}"),
		leastPolicy+"tenants:\n  b: {projects: [p]}\n  a: {projects: [p]}\n", leastPolicy+"rules: {too-wide: }\n")
	f.Fuzz(func(t *testing.T, content []byte) {
		p, problems := policy.ParsePolicy(content, changeable)
		again, same := policy.ParsePolicy(content, changeable)
		if p.Hash() != again.Hash() || !reflect.DeepEqual(problems, same) {
			t.Fatal("reads the same bytes in two ways")
		}
		inside(t, content, problems)
		if len(problems) > 0 {
			return
		}
		if len(p.Seeds) == 0 || p.Limits.MaxEntries < 1 || p.BlastRadius.Percent > 100 || p.BreakGlass < 0 {
			t.Errorf("passed: %+v", p)
		}
		for tenant, projects := range p.Tenants {
			for _, project := range projects {
				if owner, _ := p.TenantOf(project); owner != tenant {
					t.Errorf("%s is %s's and %s's", project, tenant, owner)
				}
			}
		}
	})
}

func seedCorpus(f *testing.F, path string, files ...string) {
	f.Helper()
	content := read(f, path)
	f.Add(content)
	f.Add(bytes.ReplaceAll(content, []byte("\n"), []byte("\r\n")))
	for _, file := range files {
		f.Add([]byte(file))
	}
}

// inside wants each problem to stand at a character of the file, or right
// behind a line's last.
func inside(t *testing.T, content []byte, problems []document.Problem) {
	t.Helper()
	lines := bytes.Split(content, []byte("\n"))
	width := make([]int, len(lines))
	for i, line := range lines {
		width[i] = utf8.RuneCount(line)
	}
	for _, p := range problems {
		if line, column := int(p.Line), int(p.Column); line < 1 || line > len(lines) || column < 1 || column > width[line-1]+1 {
			t.Errorf("stands outside the file: %s", shown(p))
		}
		if p.Message == "" {
			t.Errorf("says nothing: %+v", p)
		}
	}
}
