package main

// mutant is a mistake: a piece of a file and what it becomes.
type mutant struct {
	name, file, old, new string
	// named is a test of ./apply, on a real API server, that is there for it:
	// what only shows in a race of milliseconds, or in state that nobody should
	// have, is no matter of chance.
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
			"r.wanted[id] = r.held(id, w, r.removal(before))\n", "w.Access = Open\n\t\tr.wanted[id] = w\n\t\tcontinue\n", ""},
		{"a removed file lets go", "render/held.go",
			"if r.letGo(id) || r.maybeSelected(before) {", "if r.letGo(id) || !r.unreadable(before.Claim) {", ""},
		{"a rewind is followed", "cmd/portcullis/follow.go",
			"return f.repo.IsAncestor(ctx, f.known().Accepted, head)", "return f.repo.Has(head), nil", ""},
		{"a write names no object", "render/patch.go",
			`if uid != "" {`, `if uid == "nobody" {`, "TestOldPlanIsRefusedByTheAPIServer"},
		{"kept lists are not written down", "cmd/portcullis/reconciler.go",
			"err := r.store.SaveRetained(ctx, retained)", "err := ctx.Err()", ""},
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
			"d, err := read(cms)\n\t\tif err != nil {\n\t\t\treturn nil, nil, s.corrupt(base, err)", "d, err := read(cms)\n\t\tif err != nil {\n\t\t\tcontinue", "TestCorruptStateIsNotTakenForNone"},
		{"a file with an error counts", "render/refuse.go",
			"r.refused[f.ID()] = true", "r.refused[f.ID()] = f.Path == \"\"", ""},
		{"the latest claim has a cluster", "render/claims.go",
			"case !ok || before.Path != c.list.file.Path || before.Tenant != c.list.tenant.name:", "case !ok || before.Path == c.list.file.Path:", ""},
		{"a wider list is as good", "apply/prefixes.go",
			"return slices.Equal(union(parsed), union(list))", "return slices.Equal(union(parsed), union(list)) || len(parsed) > len(list)", ""},
		{"news waits for a clock that was set back", "cmd/portcullis/reconciler.go",
			"0 <= since && since < r.gathering()", "since < r.gathering()", ""},
		{"a tightening waits behind widenings", "apply/order.go",
			"d.widens = d.writes && !wider(w, liveList(cl), seed)", "d.widens = false", "TestTighteningsComeFirst"},
		{"a kept list is frozen without the provider's part", "render/guard.go",
			"whole.Entries = r.renewPlatform(before.Entries, r.Seed, id)", "whole.Entries = before.Entries", ""},
		{"a freeze holds nothing", "render/guard.go",
			"f != nil && r.isNew(id, w)", "f != nil && !r.isNew(id, w)", ""},
		{"what goes too far is held, and written", "render/guard.go",
			"p.Clusters[id] = kept\n", "kept.Entries, kept.List, kept.Access = w.Entries, w.List, w.Access\n\t\tp.Clusters[id] = kept\n", ""},
		{"a hold ends when it is not too many any more", "render/guard.go",
			"if _, held := r.Base.massHeld[id]; !held ||", "if _, held := r.Base.massHeld[id]; held ||", ""},
		{"holds of a rewind stay of what is gone", "cmd/portcullis/holds.go",
			"out[i].Commit = commit", "out[i].Since = out[i].Since.UTC()", ""},
		{"a head without a signature is followed", "cmd/portcullis/objection.go",
			"if unverified != \"\" {", "if unverified != \"\" && !forward {", ""},
		{"any list by hand may stay", "apply/byhand.go",
			"if why := granted.Refuse(liveList(cl), w.List, c.seed.last()); why != \"\" {", "if why := granted.Refuse(liveList(cl), w.List, c.seed.last()); why != \"\" && ours(cl) {", ""},
		{"a list by hand stays for ever", "apply/byhand.go",
			"if !now.Before(until) {", "if until.IsZero() {", ""},
		{"a fight is put right slowly, whatever it lets in", "apply/foreign.go",
			"return f.At.Add(spaceWider)", "return f.At.Add(spaceNarrower)", ""},
		{"a fight is none", "apply/foreign.go",
			"next.Contested, begins = true, true", "begins = true", ""},
		{"a group that is refused is an empty one", "render/resolve.go",
			"if l.partial = true; !r.awaits(l, e.Group.V) {", "if r.awaits(l, e.Group.V) {", ""},
		{"a commit whose cluster is exposed otherwise stays green", "cmd/portcullis/report.go",
			"s.Trouble != nil || s.ByHand || s.Unsupported ||", "s.Trouble != nil || s.ByHand ||", ""},
		{"a list that is held counts as a good one", "apply/outcome/verdict.go",
			"case m.Plan.Clusters[id].Asked != nil:\n\t\treturn Failure", "case m.Plan.Clusters[id].Asked != nil:\n\t\treturn Success", ""},
		{"whose list it is does not matter", "apply/decide.go",
			"case ours(c) && sameAddresses(", "case sameAddresses(", ""},
	}
}
