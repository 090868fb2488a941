package main

// mutant is a mistake: a piece of a file and what it becomes.
type mutant struct {
	name, file, old, new string
	// named is a test of ./apply, on a real API server, that is there for it:
	// what only shows in a race of milliseconds is no matter of chance.
	named string
}

// mutants are those that the promises must not survive.
func mutants() []mutant {
	return []mutant{
		{"an absent list is taken for an empty one", "apply/inventory.go",
			"return render.Live{}\n", "return render.Live{Set: true}\n", ""},
		{"an expired entry stays", "render/lists.go",
			"if !e.Expired(now) {", "if now.IsZero() || e.Prefix.IsValid() {", ""},
		{"a removed file opens", "render/held.go",
			"r.wanted[id] = r.held(w, r.removal(before))\n", "w.Access = Open\n\t\tr.wanted[id] = w\n\t\tcontinue\n", ""},
		{"a removed file lets go", "render/held.go",
			"if r.letGo(id) {", "if r.letGo(id) || !r.unreadable(before.Claim) {", ""},
		{"a rewind is followed", "cmd/portcullis/follow.go",
			"return f.repo.IsAncestor(ctx, f.known().Accepted, head)", "return f.repo.Has(head), nil", ""},
		{"a write names no object", "render/patch.go",
			`if uid != "" {`, `if uid == "nobody" {`, "TestOldPlanIsRefusedByTheAPIServer"},
		{"kept lists are not written down", "cmd/portcullis/reconciler.go",
			"return r.store.SaveRetained(ctx, retained)", "return ctx.Err()", ""},
		{"drift of a held cluster stays", "apply/decide.go",
			"case w.Held != nil && !w.Writes():", "case w.Held != nil:", ""},
		{"a selector takes all projects", "render/claims.go",
			"for _, project := range r.projects(tenant) {", "for project := range r.byProject {", ""},
		{"an empty list may be written", "apply/prefixes.go",
			"if len(list) == 0 {", "if list == nil && len(list) > 0 {", ""},
		{"an approval counts twice", "cmd/portcullis/follow.go",
			"done.Commit == a.Commit && done.At.Equal(a.At)", "done.Commit == a.Commit && done.At.After(a.At)", ""},
		{"an expiry is noticed by accident", "cmd/portcullis/reconciler.go",
			"!r.now().Before(next)", "r.now().Equal(next)", ""},
		{"corrupt state is taken for none", "apply/store.go",
			"d, err := read(cms)\n\t\tif err != nil {\n\t\t\treturn nil, nil, s.corrupt(base, err)", "d, err := read(cms)\n\t\tif err != nil {\n\t\t\tcontinue", ""},
		{"a file with an error counts", "render/refuse.go",
			"r.refused[f.ID()] = true", "r.refused[f.ID()] = f.Path == \"\"", ""},
		{"the latest claim has a cluster", "render/claims.go",
			"case !ok || before.Path != c.list.file.Path || before.Tenant != c.list.tenant.name:", "case !ok || before.Path == c.list.file.Path:", ""},
		{"a wider list is as good", "apply/prefixes.go",
			"return slices.Equal(union(parsed), union(list))", "return slices.Equal(union(parsed), union(list)) || len(parsed) > len(list)", ""},
		{"whose list it is does not matter", "apply/decide.go",
			"case ours(c) && sameAddresses(", "case sameAddresses(", ""},
	}
}
