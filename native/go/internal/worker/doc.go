// Package worker is the side of a worker process that knows nothing of Ollama: the messages
// of the workbench, the loop that answers a request, its clock, and Go's collector.
//
// It stands apart from the driver so that it can be checked without compiling ggml.
package worker
