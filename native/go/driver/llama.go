package main

import (
	"errors"

	"github.com/ollama/ollama/llama"
	"github.com/ollama/ollama/ml"

	"polystack/native/go/internal/worker"
)

const makeAnew = "Make the GGUF file anew: delete it and run again."

// llamaModel is llama.cpp, called from Go: what Ollama's runner for most models does.
type llamaModel struct {
	model    *llama.Model
	context  *llama.Context
	batch    *llama.Batch
	features *systemHandler
}

func loadLlama(file string, threads, context int, features *systemHandler) (worker.Model, error) {
	llama.BackendInit()
	model, err := llama.LoadModelFromFile(file, llama.ModelParams{UseMmap: true})
	if err != nil {
		return nil, worker.WithHint(err, makeAnew)
	}
	size := min(context, batchSize)
	made, err := llama.NewContextWithModel(
		model, llama.NewContextParams(context, size, 1, threads, ml.FlashAttentionDisabled, "f16"))
	if err != nil {
		return nil, err
	}
	batch, err := llama.NewBatch(size, 1, 0)
	if err != nil {
		return nil, err
	}
	return &llamaModel{model, made, batch, features}, nil
}

func (m *llamaModel) Describe() worker.Description {
	return describe("llama.cpp's, in C++, called from Go", m.features)
}

func (m *llamaModel) Tokenize(text string) ([]int32, error) {
	found, err := m.model.Tokenize(text, true, true)
	ids := make([]int32, len(found))
	for i, id := range found {
		ids[i] = int32(id)
	}
	return ids, err
}

func (m *llamaModel) Piece(id int32) (string, error) { return m.model.TokenToPiece(int(id)), nil }

func (m *llamaModel) EndsAnswer(id int32) bool { return m.model.TokenIsEog(int(id)) }

func (m *llamaModel) Vocabulary() int { return m.model.NumVocab() }

// Forget clears the bookkeeping only, as Ollama does: what is left in the buffers is never read.
func (m *llamaModel) Forget() error {
	if !m.context.KvCacheSeqRm(0, 0, -1) {
		return errors.New("the cache of the last answer cannot be cleared")
	}
	return nil
}

func (m *llamaModel) Decode(ids []int32, position int) error {
	for begin := 0; begin < len(ids); begin += m.batch.Size() {
		end := min(begin+m.batch.Size(), len(ids))
		m.batch.Clear()
		for i := begin; i < end; i++ {
			isLast := i == len(ids)-1 // a row of logits is a megabyte where the vocabulary is large
			m.batch.Add(int(ids[i]), nil, position+i, isLast, 0)
		}
		if err := m.context.Decode(m.batch); err != nil {
			return err
		}
	}
	// Decoding may go on behind our back; a stamp that follows must not be too early.
	m.context.Synchronize()
	return nil
}

// Logits come as a copy: Ollama's package gives no look at the row itself.
func (m *llamaModel) Logits() ([]float32, error) {
	if logits := m.context.GetLogitsIth(-1); logits != nil {
		return logits, nil
	}
	return nil, errors.New("llama.cpp gave no logits")
}

// Close frees what the package can free; the context goes with the process.
func (m *llamaModel) Close() {
	m.batch.Free()
}
