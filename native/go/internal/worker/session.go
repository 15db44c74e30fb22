package worker

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
)

// Loader loads a model with one engine.
type Loader func(file string, threads, context int) (Model, error)

// Worker obeys the workbench.
type Worker struct {
	// Loaders are the engines by name.
	Loaders map[string]Loader
	// ForceGC collects garbage after every token: a positive control for the counters.
	ForceGC bool

	model   Model
	context int
}

// hinted is an error that says what to do next.
type hinted struct {
	error
	hint string
}

// WithHint says with an error what to do next.
func WithHint(err error, hint string) error { return hinted{err, hint} }

// startError is an error that means that the engine does not run.
type startError struct{ error }

func (err startError) Unwrap() error { return err.error }

// Serve answers messages until one says quit or the workbench is gone, then frees the model.
func (worker *Worker) Serve(incoming io.Reader, outgoing io.Writer) error {
	defer worker.close()
	lines := bufio.NewReader(incoming)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var message envelope
		if err := json.Unmarshal(line, &message); err != nil {
			return fmt.Errorf("not a message: %.80q", line)
		}
		if message.Kind == "Quit" {
			return nil
		}
		reply, err := worker.answer(message)
		if err != nil {
			return err
		}
		if _, err := outgoing.Write(reply); err != nil {
			return err
		}
	}
}

// answer gives the line to send back; a failure of the engine is an answer too.
func (worker *Worker) answer(message envelope) ([]byte, error) {
	kind, body, err := worker.obey(message)
	if err != nil {
		kind, body = "Failure", failureOf(err)
	}
	return encode(kind, body)
}

func (worker *Worker) obey(message envelope) (kind string, body any, err error) {
	// Ollama's engine in Go panics where ggml refuses something.
	defer func() {
		if cause := recover(); cause != nil {
			fmt.Fprintf(os.Stderr, "%v\n%s", cause, debug.Stack())
			err = fmt.Errorf("%v", cause)
			if message.Kind == "Load" {
				err = startError{err}
			}
		}
	}()
	if message.Kind == "Load" {
		return "Ready", struct{}{}, worker.load(message.Body)
	}
	if worker.model == nil {
		return "", nil, startError{fmt.Errorf("%s came before the model was loaded", message.Kind)}
	}
	switch message.Kind {
	case "Describe":
		return "Described", described{worker.describe()}, nil
	case "Tokenize":
		var asked tokenize
		if err := json.Unmarshal(message.Body, &asked); err != nil {
			return "", nil, err
		}
		ids, err := worker.model.Tokenize(asked.Text)
		return "TokenIds", tokenIDs{ids}, err
	case "MeasureStamps":
		return "StampCost", measuredStamps{stampCost()}, nil
	case "Generate":
		var asked generate
		if err := json.Unmarshal(message.Body, &asked); err != nil {
			return "", nil, err
		}
		found, err := answer(worker.model, asked.Request, worker.context, worker.ForceGC)
		return "Generated", generated{found}, err
	}
	return "", nil, fmt.Errorf("%s is not for the worker", message.Kind)
}

func (worker *Worker) load(body []byte) error {
	var asked Load
	if err := json.Unmarshal(body, &asked); err != nil {
		return startError{err}
	}
	load, there := worker.Loaders[asked.Engine]
	if !there {
		return startError{fmt.Errorf("the driver has no engine %q", asked.Engine)}
	}
	file, err := asked.Settings.File()
	if err != nil {
		return startError{err}
	}
	worker.context = asked.Settings.Context
	if worker.model, err = load(file, asked.Settings.Threads, asked.Settings.Context); err != nil {
		worker.model = nil
		return startError{err}
	}
	return nil
}

// describe adds what the process is to what the model is.
func (worker *Worker) describe() Description {
	found := worker.model.Describe()
	for name, value := range CollectorSettings() {
		found.Build[name] = value
	}
	if worker.ForceGC {
		found.Build["forced collections"] = "after every token"
	}
	return found
}

func (worker *Worker) close() {
	if worker.model != nil {
		worker.model.Close()
	}
}

func failureOf(err error) failure {
	found := failure{Kind: "GenerationError", Message: err.Error()}
	if start := (startError{}); errors.As(err, &start) {
		found.Kind = "EngineStartError"
	}
	if advice := (hinted{}); errors.As(err, &advice) {
		found.Hint = advice.hint
	}
	return found
}
