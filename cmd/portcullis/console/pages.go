package console

import (
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"time"
	"unicode/utf8"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/meaning"
	"github.com/portcullis-gitops/portcullis/render/report"
)

//go:embed templates static
var assets embed.FS

// pages are all templates. They are parsed from what is in the program: one that
// is wrong is found by whoever builds it.
var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"short": short, "brief": func(commit string) string { return commit[:min(len(commit), 7)] }, "age": age, "stamp": stamp, "ending": ending, "mark": mark, "tone": tone, "plain": report.Escape,
	"access": accessWords, "kind": kindWords, "left": left, "provided": provided, "room": room,
}).ParseFS(assets, "templates/*.html"))

// frame is what is around every page.
type frame struct {
	Title, Seed, Prefix, Version string
	Nav                          []navItem
	Limited                      bool
	Scripts                      []string
	Now, AsOf                    time.Time // AsOf: of what is shown
	Standby, Old                 bool
	Data                         any
}

type navItem struct {
	Text, URL string
	Here      bool
}

func (h *Handler) frame(a answer, q *request) frame {
	f := frame{Title: a.title, Prefix: h.prefix, Data: a.data, Now: h.Now(), AsOf: h.Now()}
	if q != nil {
		f.Seed, f.Version, f.Limited, f.AsOf, f.Standby = q.Seed, q.Version, !q.scope.all, q.asOf(), q.Standby
		f.Old = f.Now.Sub(f.AsOf) > old
	}
	if a.page == "judged" {
		return f // a part of a page
	}
	if a.page == "draft" {
		f.Scripts = []string{h.prefix + "/static/draft.js"}
	}
	for _, item := range []struct{ text, url, page string }{{"Fleet", "/", "fleet"}, {"Explain", "/explain", "explain"}, {"Draft", "/draft", "draft"}} {
		f.Nav = append(f.Nav, navItem{item.text, h.prefix + item.url, a.page == item.page})
	}
	return f
}

// old is from when on a page says above all how old it is. Where all goes well
// none is: see board, and the reconciler's own pauses.
const old = time.Minute

// serveStatic serves a file that is in the program; they are few, and small.
func serveStatic(w http.ResponseWriter, r *http.Request) {
	kinds := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	name := r.PathValue("name")
	content, err := assets.ReadFile("static/" + name)
	if err != nil || kinds[path.Ext(name)] == "" {
		http.Error(w, errNotFound.words, http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", kinds[path.Ext(name)])
	w.Header().Set("Cache-Control", "max-age=300")
	if r.Method != http.MethodHead {
		_, _ = w.Write(content) // whoever asked may be gone
	}
}

func short(commit string) string { return commit[:min(len(commit), 12)] }

// stamp is a time as it stands on the pages, in UTC.
func stamp(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format("2006-01-02 15:04:05 UTC")
}

// age is how long ago something was, roughly.
func age(at, now time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return rough(now.Sub(at))
}

// left is how long it is until something.
func left(at, now time.Time) string {
	d := at.Sub(now)
	if d <= 0 {
		return "over"
	}
	return "in " + rough(d)
}

func rough(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(0, int(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// ending is until when something lasts.
func ending(at time.Time) string {
	switch {
	case at.IsZero():
		return "for good"
	case at.Equal(at.Truncate(24 * time.Hour)):
		return "until the end of " + at.AddDate(0, 0, -1).UTC().Format(time.DateOnly)
	}
	return "until " + stamp(at)
}

// mark is a state as a sign, beside its word: colours are not for everybody.
func mark(s apply.State) string {
	return cmp.Or(map[apply.State]string{apply.Contested: "⚔", apply.Rejected: "✗", apply.Missing: "?", apply.Held: "‖", apply.Pending: "…", apply.Applied: "→", apply.Waiting: "○", apply.Synced: "✓"}[s], "·")
}

// tone is how much of somebody's attention a state wants: bad, odd, calm, good.
func tone(s apply.State) string {
	switch s {
	case apply.Contested, apply.Rejected, apply.Missing:
		return "bad"
	case apply.Held:
		return "odd"
	case apply.Synced:
		return "good"
	}
	return "calm"
}

func accessWords(a render.Access) string {
	switch a {
	case render.Open:
		return "open: everyone is let in"
	case render.Unmanaged:
		return "unmanaged: nothing is written, what is there stays"
	case render.Restricted:
		return "restricted to the list below"
	}
	return "not known: the list is held, and nothing is known of the one before"
}

// kindWords is where an entry is from, in a word or two.
func kindWords(e render.Entry) string {
	switch e.Kind {
	case lint.FromGroup:
		return "group " + report.Escape(e.Group)
	case lint.FromNodeEgress:
		return "node egress"
	case lint.FromPlatform:
		return "platform"
	case meaning.FromSeed:
		return "the Seed's own"
	}
	return "entry"
}

// provided tells whether an entry is the provider's, of whose files there are no
// lines to show.
func provided(e render.Entry) bool {
	return e.Kind == lint.FromPlatform || e.Kind == lint.FromGroup && e.Path == ""
}

// draftQuery names a file to begin a draft with.
func draftQuery(source, file string) string { return queryOf("source", source, "path", file) }

// mostUnbroken is how many characters of a value stay in one line of a table. In the
// narrowest window that has tables, the longest of such fit beside each other.
const mostUnbroken = 20

// room is the class of a cell: one line, or as many as a long value takes.
func room(text string) string {
	if utf8.RuneCountInString(text) > mostUnbroken {
		return "long"
	}
	return "one"
}
