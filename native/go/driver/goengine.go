package main

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/ollama/ollama/kvcache"
	"github.com/ollama/ollama/ml"
	"github.com/ollama/ollama/model"
	"github.com/ollama/ollama/model/input"
	_ "github.com/ollama/ollama/model/models" // each registers itself
	"github.com/ollama/ollama/tokenizer"

	"polystack/native/go/internal/worker"
)

// goModel is Ollama's engine in Go: the model's graph is built in Go, token after token, and
// computed by ggml.
type goModel struct {
	tokenizer.Tokenizer
	model    model.Model
	cache    kvcache.Cache
	batch    int
	running  ml.Context // of the last batch; its logits lie in it
	logits   ml.Tensor
	features *systemHandler
}

func loadGoEngine(file string, threads, size int, features *systemHandler) (worker.Model, error) {
	loaded, err := model.New(file, ml.BackendParams{
		AllocMemory:    true,
		NumThreads:     threads,
		FlashAttention: ml.FlashAttentionDisabled,
	})
	if errors.Is(err, model.ErrUnsupportedModel) {
		return nil, worker.WithHint(err, "Ollama's engine in Go does not know this kind of model: leave the stack out.")
	}
	if err != nil {
		return nil, worker.WithHint(err, makeAnew)
	}
	words, ok := loaded.(tokenizer.Tokenizer)
	cache := loaded.Config().Cache
	if !ok || cache == nil {
		return nil, errors.New("Ollama's engine in Go has no tokenizer or no cache for this model")
	}
	made := &goModel{
		Tokenizer: words,
		model:     loaded,
		cache:     cache,
		batch:     min(size, batchSize),
		features:  features,
	}
	cache.Init(loaded.Backend(), ml.DTypeF16, 1, size, made.batch)
	// Memory for the largest batch that can come, as Ollama's runner sets it apart.
	for _, tokens := range []int{made.batch, 1} {
		if err := made.reserve(tokens); err != nil {
			return nil, err
		}
	}
	if err := loaded.Backend().Load(context.Background(), nil); err != nil {
		return nil, worker.WithHint(err, makeAnew)
	}
	return made, nil
}

func (m *goModel) Describe() worker.Description {
	return describe("Ollama's own, in Go, on ggml", m.features)
}

func (m *goModel) Tokenize(text string) ([]int32, error) { return m.Encode(text, true) }

func (m *goModel) Piece(id int32) (string, error) { return m.Tokenizer.Decode([]int32{id}) }

func (m *goModel) EndsAnswer(id int32) bool { return m.Is(id, tokenizer.SpecialEOS) }

func (m *goModel) Vocabulary() int { return len(m.Tokenizer.Vocabulary().Values) }

func (m *goModel) Forget() error { return m.cache.Remove(0, 0, math.MaxInt32) }

func (m *goModel) Decode(ids []int32, position int) error {
	for begin := 0; begin < len(ids); begin += m.batch {
		end := min(begin+m.batch, len(ids))
		var outputs []int32
		if end == len(ids) {
			outputs = []int32{int32(end - begin - 1)}
		}
		if err := m.compute(ids[begin:end], position+begin, outputs); err != nil {
			return err
		}
	}
	return nil
}

// compute builds the graph of these tokens and has ggml compute it. On a CPU that is done
// when it returns.
func (m *goModel) compute(ids []int32, position int, outputs []int32) error {
	m.done()
	m.running = m.model.Backend().NewContext()
	batch := inputs(m.running, ids, position)
	batch.Outputs = m.running.Input().FromInts(outputs, len(outputs))
	m.running.SetBatchSize(len(ids))
	var err error
	if m.logits, err = model.Forward(m.running, m.model, batch); err != nil {
		return fmt.Errorf("the graph cannot be built: %w", err)
	}
	m.running.Compute(m.logits)
	return nil
}

// Logits come as a copy, as to Ollama's own sampler.
func (m *goModel) Logits() ([]float32, error) {
	if logits := m.logits.Floats(); len(logits) > 0 {
		return logits, nil
	}
	return nil, errors.New("ggml gave no logits")
}

func (m *goModel) Close() {
	m.done()
	m.cache.Close()
	m.model.Backend().Close()
}

// done frees the graph of the last batch.
func (m *goModel) done() {
	if m.running != nil {
		m.running.Close()
		m.running = nil
	}
}

// reserve sets memory apart for a batch of so many tokens, at the end of a full cache.
func (m *goModel) reserve(tokens int) error {
	ctx := m.model.Backend().NewContext()
	defer ctx.Close()
	batch := inputs(ctx, make([]int32, tokens), 0)
	batch.Outputs = ctx.Input().Empty(ml.DTypeI32, 1)
	if err := m.cache.StartForward(ctx, batch, true); err != nil {
		return err
	}
	logits, err := m.model.Forward(ctx, batch)
	if err != nil {
		return err
	}
	ctx.SetBatchSize(tokens)
	ctx.Forward(logits).Reserve()
	return nil
}

// inputs is a batch of one sequence that begins at this position.
func inputs(ctx ml.Context, ids []int32, position int) input.Batch {
	batch := input.Batch{
		Inputs:    ctx.Input().FromInts(ids, len(ids)),
		Positions: make([]int32, len(ids)),
		Sequences: make([]int, len(ids)),
	}
	for i := range ids {
		batch.Positions[i] = int32(position + i)
	}
	return batch
}
