package document_test

import (
	"testing"

	"github.com/portcullis-gitops/portcullis/render/document"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"restricted", "open", "unmanaged", "entries"}
	for word, want := range map[string]string{
		"restrictd": "restricted", "restriced": "restricted", "Restricted": "restricted",
		"opne": "open", "opn": "open", "entires": "entries", "unmangaed": "unmanaged",
		"closed": "", "x": "", "": "",
	} {
		if got, ok := document.Nearest(word, known); got != want || ok != (want != "") {
			t.Errorf("%q: got %q, %t, want %q", word, got, ok, want)
		}
	}
}
