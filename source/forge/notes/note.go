package notes

import (
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/portcullis-gitops/portcullis/source/forge"
)

// maxTitle is what the first line's title is cut to, in characters: a note has
// room, a line of a terminal has not.
const maxTitle = 500

// wanted are the notes' texts by commit, and for each check an error where it
// can never be one. Of two checks of one commit the later counts.
func (f *Forge) wanted(checks []forge.Check) (texts map[string]string, errs []error) {
	texts, errs = map[string]string{}, make([]error, len(checks))
	for i, c := range checks {
		if !plumbing.IsHash(c.Commit) || c.Commit != strings.ToLower(c.Commit) {
			errs[i] = fmt.Errorf("note on %s: %q is not a full commit hash: %w", f.ref, c.Commit, forge.ErrRefused)
			continue
		}
		texts[c.Commit] = text(c)
	}
	return texts, errs
}

// text is the note of a check, ending in a line feed.
func text(c forge.Check) string {
	body := c.Body
	if body != "" && !strings.HasSuffix(body, "\n") {
		body += "\n"
	}
	return fmt.Sprintf("%s %s: %s\n%s", c.State, c.Context, forge.Cut(c.Title, maxTitle), body)
}

// message is the notes commit's own.
func message(checks []forge.Check) string {
	if c := checks[len(checks)-1]; len(checks) == 1 {
		return fmt.Sprintf("%s: %s on %.12s\n", c.Context, c.State, c.Commit)
	}
	return fmt.Sprintf("%s: %d commits\n", checks[0].Context, len(checks))
}
