package forge_test

import (
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/source/forge"
)

func TestCut(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		title string
		limit int
		want  string
	}{
		{"applied", 7, "applied"},
		{"applied", 6, "appli…"},
		{"Größe über", 10, "Größe über"},
		{"Größe über", 6, "Größe…"},
		{"世界世界", 3, "世界…"},
		{"two\nlines\tand  more ", 80, "two lines and more"},
		{"bad \xff byte", 80, "bad \uFFFD byte"},
		{"a\x1b[31mb", 80, "a\uFFFD[31mb"},
		{"", 5, ""},
	} {
		if got := forge.Cut(tt.title, tt.limit); got != tt.want {
			t.Errorf("Cut(%q, %d) = %q, want %q", tt.title, tt.limit, got, tt.want)
		}
	}
	long := "acme/list.yaml:12:7: error[host-bits]: " + strings.Repeat("x", 300)
	if got := forge.Cut(long, 140); !strings.HasPrefix(got, "acme/list.yaml:12:7: ") {
		t.Errorf("the place was cut off: %q", got)
	}
}
