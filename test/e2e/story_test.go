package e2e_test

import (
	"testing"

	"github.com/portcullis-gitops/portcullis/test/stage"
)

// TestStory is what the demo tells, over HTTP.
func TestStory(t *testing.T) {
	t.Parallel()
	p := set(t, stage.Options{})
	for _, step := range stage.Story(p.Stage) {
		if !t.Run(step.Title, func(t *testing.T) {
			if err := step.Play(t.Context(), teller{t}); err != nil {
				t.Fatal(err)
			}
		}) {
			return // the others need it
		}
	}
}

// teller has the story in the test's log.
type teller struct{ *testing.T }

func (t teller) Say(format string, args ...any) { t.Logf(format, args...) }
func (t teller) Show(caption, text string)      { t.Logf("%s\n%s", caption, text) }
