package worker

import (
	"fmt"
	"math"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
)

const (
	gcCPU     = "/cpu/classes/gc/total:cpu-seconds"
	allocated = "/gc/heap/allocs:bytes"
	objects   = "/gc/heap/allocs:objects"
	gogc      = "/gc/gogc:percent"
	limit     = "/gc/gomemlimit:bytes"
)

// collector is what Go's garbage collector has done since the process began.
type collector struct {
	cycles  int64
	pauseNs int64
	// cpuSeconds is the runtime's own estimate, brought up to date at the end of a cycle: the
	// cores it had times how long, also where the kernel had given them to somebody else.
	cpuSeconds       float64
	allocatedBytes   uint64
	allocatedObjects uint64
}

// readCollector reads the counters. Nothing is stopped for it, as runtime.ReadMemStats would.
func readCollector() collector {
	// runtime/metrics has pauses as a histogram only; this has their sum.
	var pauses debug.GCStats
	debug.ReadGCStats(&pauses)
	samples := read(gcCPU, allocated, objects)
	return collector{
		cycles:           pauses.NumGC,
		pauseNs:          pauses.PauseTotal.Nanoseconds(),
		cpuSeconds:       samples[0].Value.Float64(),
		allocatedBytes:   samples[1].Value.Uint64(),
		allocatedObjects: samples[2].Value.Uint64(),
	}
}

// since adds to timings what was done after before was read.
func (after collector) since(before collector, timings map[string]float64) {
	timings["gc_cycles"] = float64(after.cycles - before.cycles)
	timings["gc_pause_ns"] = float64(after.pauseNs - before.pauseNs)
	timings["gc_cpu_s"] = after.cpuSeconds - before.cpuSeconds
	timings["heap_allocated_bytes"] = float64(after.allocatedBytes - before.allocatedBytes)
	timings["heap_allocated_objects"] = float64(after.allocatedObjects - before.allocatedObjects)
}

// CollectorSettings says how the collector is set, in the words of Go's variables.
func CollectorSettings() map[string]string {
	samples := read(gogc, limit)
	settings := map[string]string{"GOGC": "off", "GOMEMLIMIT": "off"}
	if percent := samples[0].Value.Uint64(); percent != math.MaxUint64 {
		settings["GOGC"] = strconv.FormatUint(percent, 10)
	}
	if bytes := samples[1].Value.Uint64(); bytes < math.MaxInt64 {
		settings["GOMEMLIMIT"] = fmt.Sprintf("%d bytes", bytes)
	}
	return settings
}

func read(names ...string) []metrics.Sample {
	samples := make([]metrics.Sample, len(names))
	for i, name := range names {
		samples[i].Name = name
	}
	metrics.Read(samples)
	return samples
}
