//go:build !race

package fault_test

// raceDetector says that the tests were built with it.
const raceDetector = false
