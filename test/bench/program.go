package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// runProgram runs a program, and answers what it took: the processor time of it
// and of those that it started, and the most memory that one of them had.
//
// That memory is looked at while they run. What the system says at the end
// (ru_maxrss) is of no use: it counts this process's own memory, of which the
// program was a copy for a moment.
func runProgram(cmd *exec.Cmd) (usage, error) {
	var words strings.Builder
	cmd.Stderr = &words
	if err := cmd.Start(); err != nil {
		return usage{}, fmt.Errorf("run %s: %w", cmd.Path, err)
	}
	highest := watchHighest(cmd.Process.Pid)
	err := cmd.Wait()
	u := usage{processor: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), highest: highest()}
	if err != nil {
		return u, fmt.Errorf("run %s: %w: %s", filepath.Base(cmd.Path), err, strings.TrimSpace(words.String()))
	}
	return u, nil
}

// looksAtMemory is how often: what comes and goes faster is missed.
const looksAtMemory = 3 * time.Millisecond

// watchHighest watches a process and those that it started, until the function
// that it answers is called, which answers the most memory one had, in MiB.
func watchHighest(pid int) (end func() float64) {
	stop, done, most := make(chan struct{}), make(chan struct{}), 0.
	go func() {
		defer close(done)
		for again := time.NewTicker(looksAtMemory); ; {
			most = max(most, highestOf(fmt.Sprint(pid)))
			select {
			case <-stop:
				return
			case <-again.C:
			}
		}
	}()
	return func() float64 {
		close(stop)
		<-done
		return most
	}
}

// highestOf is the highest memory of a process, and of its children; 0 where it
// has ended, or there is no /proc.
func highestOf(pid string) float64 {
	status, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0
	}
	most, _ := mebibytes(string(status), "VmHWM:") // 0 of a process that ends
	children, _ := os.ReadFile("/proc/" + pid + "/task/" + pid + "/children")
	for _, child := range strings.Fields(string(children)) {
		most = max(most, highestOf(child))
	}
	return most
}
