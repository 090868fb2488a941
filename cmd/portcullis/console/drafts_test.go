package console_test

// drafts are the routes of a draft.
func drafts() []string { return nil }
