package policy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// ParseSchedule reads a schedule in the syntax of robfig/cron v3: five fields
// with an optional time zone (CRON_TZ=Europe/Vienna), or a descriptor such as
// @every 1m. One that never comes is an error.
func ParseSchedule(s string) (schedule cron.Schedule, err error) {
	defer func() {
		// The library takes a time zone without fields behind it out of its
		// bounds (3.0.1); whatever else it may trip over is a fault of s too.
		if recover() != nil {
			schedule, err = nil, errors.New("it cannot be read")
		}
	}()
	if every, ok := strings.CutPrefix(s, "@every "); ok {
		if d, err := time.ParseDuration(every); err == nil && d < time.Second {
			return nil, fmt.Errorf("%s is less than a second", d)
		}
	}
	schedule, err = cron.ParseStandard(s)
	if err != nil {
		return nil, err
	}
	// Any moment will do: the library looks five years ahead.
	if schedule.Next(time.Unix(0, 0)).IsZero() {
		return nil, errors.New("it never comes")
	}
	return schedule, nil
}

// plain shows what another library says of a value, on one line.
func plain(message string) string {
	return strings.Trim(strconv.Quote(message), `"`)
}
