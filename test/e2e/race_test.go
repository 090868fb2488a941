//go:build race

package e2e_test

// raceDetector says that the tests were built with it.
const raceDetector = true
