package servers

import (
	"flag"
	"runtime"
	"strconv"
)

// atOnce is how many parallel tests on servers run at a time: most of their
// time they wait, for polls, outages and back-offs, and not for a processor.
const atOnce = 3

// WaitTogether has that many parallel tests of a package run at a time where
// there are fewer processors and -parallel asks for no other number. TestMain
// calls it before the tests run.
func WaitTogether() {
	if !flag.Parsed() {
		flag.Parse()
	}
	const name = "test.parallel"
	f := flag.Lookup(name)
	if f == nil || f.Value.String() != strconv.Itoa(runtime.GOMAXPROCS(0)) || runtime.GOMAXPROCS(0) >= atOnce {
		return
	}
	_ = flag.Set(name, strconv.Itoa(atOnce)) // a number it is
}
