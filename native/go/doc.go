// Package native pins the Go stack.
//
// go.mod names Ollama, with its version, as a tool of this module, so that
//
//	go build github.com/ollama/ollama
//
// in this folder gives that version's server and nothing newer.
package native
