package worker

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// The messages of python_runner/engines/worker/wire.py, as far as a worker meets them: one JSON
// object a line, {"kind": ..., "body": ...}. Both ends are of the same checkout, so what is
// not needed here is not read.

// Load asks for the model to be loaded.
type Load struct {
	// Engine is which of the driver's engines is to run.
	Engine   string   `json:"loader"`
	Settings Settings `json:"settings"`
}

// Settings says how an engine is started.
type Settings struct {
	Model struct {
		Name string            `json:"name"`
		GGUF map[string]string `json:"gguf"`
	} `json:"model"`
	Precision string `json:"precision"`
	Threads   int    `json:"threads"`
	Context   int    `json:"context"`
}

// File is the GGUF file to load.
func (settings Settings) File() (string, error) {
	file, there := settings.Model.GGUF[settings.Precision]
	if !there {
		return "", fmt.Errorf("%s has no GGUF file in %s", settings.Model.Name, settings.Precision)
	}
	return file, nil
}

// Description is what is known of an engine that runs.
type Description struct {
	Version string            `json:"version"`
	Build   map[string]string `json:"build"`
	Label   string            `json:"label"`
}

type request struct {
	PromptIDs           []int32 `json:"prompt_ids"`
	NewTokens           int     `json:"new_tokens"`
	IgnoreEndOfSequence bool    `json:"ignore_end_of_sequence"`
}

type generation struct {
	RequestedNs   int64              `json:"requested_ns"`
	ChunkNs       []int64            `json:"chunk_ns"`
	ChunkTokens   []int              `json:"chunk_tokens"`
	EndedNs       int64              `json:"ended_ns"`
	PromptTokens  int                `json:"prompt_tokens"`
	OutputTokens  int                `json:"output_tokens"`
	Stop          string             `json:"stop"`
	Text          string             `json:"text"`
	TokenIDs      []int32            `json:"token_ids"`
	EngineTimings map[string]float64 `json:"engine_timings"`
}

type generate struct {
	Request request `json:"request"`
}

type generated struct {
	Generation generation `json:"generation"`
}

type tokenize struct {
	Text string `json:"text"`
}

type tokenIDs struct {
	IDs []int32 `json:"ids"`
}

type measuredStamps struct {
	Ns float64 `json:"ns"`
}

type described struct {
	Description Description `json:"description"`
}

type failure struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

type envelope struct {
	Kind string          `json:"kind"`
	Body json.RawMessage `json:"body"`
}

// encode gives the message as one line, its newline included.
func encode(kind string, body any) ([]byte, error) {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(struct {
		Kind string `json:"kind"`
		Body any    `json:"body"`
	}{kind, body})
	return line.Bytes(), err
}
