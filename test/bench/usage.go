package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// usage is what a process takes of the machine.
type usage struct {
	known     bool          // false where the system has no /proc
	resident  float64       // now, MiB (VmRSS)
	anonymous float64       // of it what is no file, such as the program's (RssAnon)
	highest   float64       // so far, MiB (VmHWM)
	processor time.Duration // so far, user and system
}

// ticks a second of /proc/<pid>/stat: USER_HZ, 100 on all of Linux's ports that
// Go has.
const ticks = 100

// usage is the command's; unknown where there is no /proc.
func (p *product) usage() (usage, error) {
	content, err := os.ReadFile(p.pidFile)
	if err != nil {
		return usage{}, err
	}
	return usageOf(strings.TrimSpace(string(content)))
}

// usageOf is that of a process, by its ID or "self"; unknown where there is no
// /proc.
func usageOf(process string) (usage, error) {
	folder := "/proc/" + process
	if _, err := os.Stat("/proc/self/status"); err != nil {
		return usage{}, nil
	}
	status, err := os.ReadFile(folder + "/status")
	if err != nil {
		return usage{}, err
	}
	stat, err := os.ReadFile(folder + "/stat")
	if err != nil {
		return usage{}, err
	}
	return parseUsage(string(status), string(stat))
}

// forgetHighest has the highest memory of this process counted from now on
// (proc_pid_clear_refs(5)); where that is not to be had, from its start.
func forgetHighest() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

// serversProcessor is what etcd and kube-apiserver, which this process started,
// have computed so far; 0 where there is no /proc.
func serversProcessor() time.Duration { return childrenProcessor(processor, "etcd", "kube-apiserver") }

// hostProcessor is what Gitea, which this process started, has computed so far,
// with the git programs that it waited for.
func hostProcessor() time.Duration { return childrenProcessor(processorOfAll, "gitea") }

// childrenProcessor adds up what children of this process with these names have
// computed.
func childrenProcessor(of func(stat string) (time.Duration, error), names ...string) time.Duration {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is a good one
	var sum time.Duration
	for _, path := range stats {
		content, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		stat := string(content)
		_, name, _ := strings.Cut(stat, "(")
		name, rest, _ := strings.Cut(name, ") ")
		if fields := strings.Fields(rest); len(fields) < 2 || fields[1] != strconv.Itoa(os.Getpid()) || !slices.Contains(names, name) {
			continue
		}
		if spent, err := of(stat); err == nil {
			sum += spent
		}
	}
	return sum
}

// spent is the processor time of a process so far, and of the servers.
type spent struct{ own, servers time.Duration }

// spent is that of a process, by its ID or "self".
func (b *bench) spent(process string) (spent, error) {
	own, err := usageOf(process)
	return spent{own.processor, serversProcessor()}, err
}

// stopwatch tells seconds since it was made.
type stopwatch struct{ began time.Time }

func newStopwatch() stopwatch { return stopwatch{time.Now()} }

func (s stopwatch) seconds() float64 { return time.Since(s.began).Seconds() }

// parseUsage reads proc_pid_status(5) and proc_pid_stat(5).
func parseUsage(status, stat string) (usage, error) {
	u := usage{known: true}
	var errs [4]error
	u.resident, errs[0] = mebibytes(status, "VmRSS:")
	u.highest, errs[1] = mebibytes(status, "VmHWM:")
	u.processor, errs[2] = processor(stat)
	u.anonymous, errs[3] = mebibytes(status, "RssAnon:")
	return u, errors.Join(errs[:]...)
}

func mebibytes(status, key string) (float64, error) {
	_, after, _ := strings.Cut(status, "\n"+key)
	fields := strings.Fields(after)
	if len(fields) < 2 || fields[1] != "kB" {
		return 0, fmt.Errorf("read /proc: no %s", key)
	}
	kib, err := strconv.ParseFloat(fields[0], 64)
	return kib / 1024, err
}

// processor adds utime and stime, the fields 14 and 15. The second, the name in
// brackets, may hold blanks and brackets.
func processor(stat string) (time.Duration, error) { return ticksOf(stat, 2) }

// processorOfAll adds to these cutime and cstime, the same of children that it
// waited for.
func processorOfAll(stat string) (time.Duration, error) { return ticksOf(stat, 4) }

// ticksOf adds so many fields from the 14th on.
func ticksOf(stat string, n int) (sum time.Duration, err error) {
	const before = 11 // fields after the name
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < before+n {
		return 0, errors.New("read /proc: stat is too short")
	}
	for _, field := range fields[before : before+n] {
		spent, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read /proc: %w", err)
		}
		sum += time.Duration(spent) * time.Second / ticks
	}
	return sum, nil
}
