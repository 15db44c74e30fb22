package main

import (
	"io"
	"log/slog"
	"testing"
)

func TestTheFeaturesThatAreOnAreHeard(t *testing.T) {
	features := &systemHandler{Handler: slog.NewTextHandler(io.Discard, nil)}
	log := slog.New(features)
	if features.known() != "not logged" {
		t.Errorf("%q", features.known())
	}
	cpu := slog.Group("CPU.0", "AVX2", "1", "AMX_INT8", "0", "LLAMAFILE", "1")
	log.Info("system", "", slog.GroupValue(cpu, slog.String("compiler", "cgo(gcc)")))
	log.Info("load", "SVE", "1")
	if features.known() != "AVX2 LLAMAFILE" {
		t.Errorf("%q", features.known())
	}
}

func TestTheLinkedOllamaIsKnown(t *testing.T) {
	if found := describe("", &systemHandler{}).Build["llama.cpp"]; len(found) < len("1234567, with Ollama's patches") {
		t.Errorf("%q", found)
	}
}

func TestPipesAreNumbers(t *testing.T) {
	for _, arguments := range [][]string{nil, {"3"}, {"three", "4"}, {"3", "4", "5"}} {
		if err := run(arguments); err == nil {
			t.Errorf("%v: no error", arguments)
		}
	}
}
