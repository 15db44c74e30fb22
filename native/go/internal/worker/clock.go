package worker

import "golang.org/x/sys/unix"

// now gives nanoseconds of CLOCK_MONOTONIC, the same count as Python's time.monotonic_ns().
// The monotonic part of a time.Time is of that clock too, but cannot be read as a number.
func now() int64 {
	var time unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &time); err != nil {
		panic(err) // only for a clock that the kernel does not have
	}
	return time.Nano()
}

// stopwatch gives every nanosecond of a request to one of its parts, so that they add up.
type stopwatch struct{ last int64 }

// lap adds the time since the last lap to part, and says when it ended.
func (watch *stopwatch) lap(part *int64) int64 {
	at := now()
	*part += at - watch.last
	watch.last = at
	return at
}
