package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/portcullis-gitops/portcullis/test/docs"
)

var (
	// set are assignments after helm's --set, --set-json, --set-file and --set-string.
	set      = regexp.MustCompile(`--set(?:-json|-file|-string)? '?([^'\s]+)`)
	assigned = regexp.MustCompile(`(?:^|,)([a-z][A-Za-z.]*)=`)
	// dotted are names such as webhook.enabled, in a span of code.
	dotted = regexp.MustCompile(`^(webhook|networkPolicy|rbac|admission|metrics|storage|image|disruptionBudget)\.[A-Za-z.]+$`)
)

// TestValuesInThePagesExist looks up each value of the chart that a page names.
func TestValuesInThePagesExist(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../deploy/chart/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]any
	if err := yaml.Unmarshal(text, &values); err != nil {
		t.Fatal(err)
	}
	if !isValue(values, "image.tag") || isValue(values, "image.tags") || isValue(values, "image.tag.x") {
		t.Fatal("the look-up finds everything, or nothing")
	}
	paths, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, path := range append(paths, "../../README.md", "../../SECURITY.md") {
		for _, name := range valuesIn(t, path) {
			found++
			if !isValue(values, name) {
				t.Errorf("%s: the chart has no value %s", path, name)
			}
		}
	}
	if found < 8 {
		t.Errorf("only %d names were found", found)
	}
}

// valuesIn are the names of the chart's values in a page.
func valuesIn(t *testing.T, path string) (names []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page, err := docs.Parse(path, string(text))
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{}
	for _, b := range page.Blocks {
		texts = append(texts, strings.ReplaceAll(b.Text(), "\\\n", " "))
	}
	for _, s := range page.Spans() {
		texts = append(texts, s.Text)
		if dotted.MatchString(s.Text) {
			names = append(names, s.Text)
		}
	}
	for _, text := range texts {
		for _, m := range set.FindAllStringSubmatch(text, -1) {
			for _, a := range assigned.FindAllStringSubmatch(m[1], -1) {
				names = append(names, a[1])
			}
		}
	}
	return names
}

func isValue(values map[string]any, path string) bool {
	var v any = values
	for key := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return false
		}
		if v, ok = m[key]; !ok {
			return false
		}
	}
	return true
}
