//go:build !race

package source_test

// raceDetector says that the tests were built with it.
const raceDetector = false
