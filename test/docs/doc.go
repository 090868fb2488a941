// Package docs holds the documentation to what it says: its links lead
// somewhere, its YAML is read by the product's own parser, the commands of the
// tutorial and of the README are run as they stand, and Gitea's code owners do what
// the reviewers' guide says. (Its auto-merge is tried in test/e2e.) That each command, flag, field, rule and metric that is
// named exists, and that each that exists is documented, is tested beside the
// code that has them, in cmd/portcullis, by way of this package.
//
// A page is read as what a reader of Markdown sees of it. What the tests need to
// know beyond is in the info string of a fenced block, which pages do not show:
//
//	console                 a terminal: lines after "$ " are run, the others are what they print
//	console terminal=seed   another terminal; the first has no name
//	console stays           its last command goes on; what it is to print by then is shown
//	console interrupt       after Ctrl-C in that terminal
//	console prints          no command: what goes on in that terminal prints this
//	console again           is repeated until it prints what is shown: it waits for something
//	console exit=1          its last command ends with this code, the others with 0
//	console not-run         is not run: it is for real machines, or for a Git host
//	yaml file=config.yaml   is written to this file by the reader, and by the test
//	yaml wrong              a document with a fault, on purpose
//	yaml fragment           a part of a document
//	yaml other              a document of somebody else's
//
// In what is printed, a line of "..." stands for any lines, and "..." within a
// line for any text. A command without output under it may print what it likes.
package docs
