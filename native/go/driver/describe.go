package main

// The commit is a variable of Ollama's llama package, which has no function that tells it.

// extern char const *LLAMA_COMMIT;
import "C"

import (
	"context"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"polystack/native/go/internal/worker"
)

const (
	ollamaModule = "github.com/ollama/ollama"
	// batchSize is how many tokens of a prompt are computed at once: llama.cpp's default, and
	// what the other stacks are given.
	batchSize = 512
)

// describe says what an engine of this driver is.
func describe(engine string, features *systemHandler) worker.Description {
	return worker.Description{
		Version: ollamaVersion(),
		Build: map[string]string{
			"engine":                         engine,
			"go":                             runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH,
			"GOMAXPROCS":                     strconv.Itoa(runtime.GOMAXPROCS(0)),
			"llama.cpp":                      C.GoString(C.LLAMA_COMMIT) + ", with Ollama's patches",
			"instruction sets":               features.known(),
			"flash attention":                "off",
			"KV cache":                       "f16",
			"prompt cache":                   "off",
			"prompt tokens computed at once": strconv.Itoa(batchSize),
		},
	}
}

// ollamaVersion is the one that was linked, without its v.
func ollamaVersion() string {
	build, _ := debug.ReadBuildInfo()
	for _, module := range build.Deps {
		if module.Path == ollamaModule {
			return strings.TrimPrefix(module.Version, "v")
		}
	}
	return "unknown"
}

// systemHandler listens to what ggml logs of the features that it was compiled with: there is
// no function that tells them.
type systemHandler struct {
	slog.Handler
	features []string
}

func (handler *systemHandler) Handle(context context.Context, record slog.Record) error {
	if record.Message == "system" {
		record.Attrs(func(attribute slog.Attr) bool {
			handler.collect(attribute)
			return true
		})
	}
	return handler.Handler.Handle(context, record)
}

// collect notes the features that are 1, in whatever group they lie; the rest, as its name
// suggests, is off.
func (handler *systemHandler) collect(attribute slog.Attr) {
	value := attribute.Value.Resolve()
	if value.Kind() == slog.KindGroup {
		for _, inner := range value.Group() {
			handler.collect(inner)
		}
		return
	}
	if value.String() == "1" {
		handler.features = append(handler.features, attribute.Key)
	}
}

func (handler *systemHandler) known() string {
	if len(handler.features) == 0 {
		return "not logged"
	}
	return strings.Join(handler.features, " ")
}
