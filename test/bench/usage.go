package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// usage is what a process takes of the machine.
type usage struct {
	known     bool          // false where the system has no /proc
	resident  float64       // now, MiB (VmRSS)
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
	folder := "/proc/" + strings.TrimSpace(string(content))
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

// parseUsage reads proc_pid_status(5) and proc_pid_stat(5).
func parseUsage(status, stat string) (usage, error) {
	u := usage{known: true}
	var errs [3]error
	u.resident, errs[0] = mebibytes(status, "VmRSS:")
	u.highest, errs[1] = mebibytes(status, "VmHWM:")
	u.processor, errs[2] = processor(stat)
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
func processor(stat string) (time.Duration, error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, errors.New("read /proc: stat is too short")
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * time.Second / ticks, errors.Join(err, err2)
}

// usages are gathered in the order in which they were first added; those of
// later rounds take the place of earlier ones.
type usages struct {
	when []string
	what map[string]usage
}

func (u *usages) add(when string, what usage) {
	if u.what == nil {
		u.what = map[string]usage{}
	}
	if _, known := u.what[when]; !known {
		u.when = append(u.when, when)
	}
	u.what[when] = what
}

// tell makes rows of them.
func (u *usages) tell(t *table) {
	for _, when := range u.when {
		if used := u.what[when]; used.known {
			t.value("memory "+when, "MiB", []float64{used.resident}, fmt.Sprintf("at most %.0f", used.highest))
		}
	}
}
