// Command driver runs a model inside its own Go process, on Ollama's packages.
//
//	driver READ WRITE
//
// READ and WRITE are the numbers of open pipes, on which it answers the workbench as
// python_runner/engines/worker/process.py does. Standard error is left to the libraries' logs.
// POLYSTACK_GO_FORCE_GC=1 collects garbage after every token.
package main

import (
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"polystack/native/go/internal/worker"
)

const forceGC = "POLYSTACK_GO_FORCE_GC"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "driver: %v\n", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) != 2 {
		return fmt.Errorf("two numbers of open pipes are needed, and %d words came", len(arguments))
	}
	incoming, err := pipe(arguments[0])
	if err != nil {
		return err
	}
	outgoing, err := pipe(arguments[1])
	if err != nil {
		return err
	}
	// Ctrl-C is the workbench's business: it keeps the finished samples and then stops us.
	signal.Ignore(syscall.SIGINT)
	features := &systemHandler{Handler: slog.NewTextHandler(os.Stderr, nil)}
	slog.SetDefault(slog.New(features))
	obedient := worker.Worker{
		Loaders: map[string]worker.Loader{
			"llama.cpp": func(file string, threads, context int) (worker.Model, error) {
				return loadLlama(file, threads, context, features)
			},
			"go": func(file string, threads, context int) (worker.Model, error) {
				return loadGoEngine(file, threads, context, features)
			},
		},
		ForceGC: os.Getenv(forceGC) == "1",
	}
	return obedient.Serve(incoming, outgoing)
}

// pipe opens what the workbench has left open for us under this number.
func pipe(number string) (*os.File, error) {
	descriptor, err := strconv.Atoi(number)
	if err != nil {
		return nil, fmt.Errorf("%q is no number of an open pipe", number)
	}
	// No child of a library may hold it open after we died: its end is how that is noticed.
	syscall.CloseOnExec(descriptor)
	return os.NewFile(uintptr(descriptor), "pipe "+number), nil
}
