package worker

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
)

// Model is loaded and computes. One goroutine at a time.
type Model interface {
	// Describe says what runs, for the record.
	Describe() Description
	// Tokenize gives the ids of a text, BOS first if the model has it.
	Tokenize(text string) ([]int32, error)
	// Piece is the text of one token; it may be a part of a character.
	Piece(id int32) (string, error)
	// EndsAnswer says whether the token is a mark that ends an answer.
	EndsAnswer(id int32) bool
	// Vocabulary is the number of tokens that the model knows.
	Vocabulary() int
	// Forget makes room for a new prompt: nothing of the last answer may help the next.
	Forget() error
	// Decode computes these tokens, the first of which has this position, and is done with
	// it when it returns.
	Decode(ids []int32, position int) error
	// Logits are those that follow the last token that was decoded.
	Logits() ([]float32, error)
	// Close frees the model.
	Close()
}

// parts is where the time of a request goes, in nanoseconds. They add up to all of it.
type parts struct {
	prefill, decode, sample, collect, detokenise int64
}

// answer decodes greedily and stamps each token when it has been chosen.
func answer(model Model, asked request, context int, forceGC bool) (generation, error) {
	if err := check(asked, context, model.Vocabulary()); err != nil {
		return generation{}, err
	}
	before := readCollector()
	found := generation{
		PromptTokens: len(asked.PromptIDs),
		Stop:         "length",
		ChunkNs:      make([]int64, 0, asked.NewTokens),
		TokenIDs:     make([]int32, 0, asked.NewTokens),
	}
	var spent parts
	watch := stopwatch{last: now()}
	found.RequestedNs = watch.last
	if err := decode(model, asked, forceGC, &found, &watch, &spent); err != nil {
		return generation{}, err
	}
	text, err := textOf(model, found.TokenIDs)
	if err != nil {
		return generation{}, err
	}
	found.EndedNs = watch.lap(&spent.detokenise)
	after := readCollector()
	found.Text = text
	found.OutputTokens = len(found.TokenIDs)
	found.ChunkTokens = make([]int, len(found.TokenIDs))
	for i := range found.ChunkTokens {
		found.ChunkTokens[i] = 1
	}
	found.EngineTimings = spent.timings()
	after.since(before, found.EngineTimings)
	return found, nil
}

// decode computes the prompt and then token after token, until there are enough.
func decode(model Model, asked request, forceGC bool, found *generation, watch *stopwatch, spent *parts) error {
	if err := model.Forget(); err != nil {
		return err
	}
	if err := model.Decode(asked.PromptIDs, 0); err != nil {
		return err
	}
	watch.lap(&spent.prefill)
	for next := make([]int32, 1); ; {
		logits, err := model.Logits()
		if err != nil {
			return err
		}
		if next[0], err = best(logits); err != nil {
			return err
		}
		chosenNs := watch.lap(&spent.sample)
		if forceGC {
			runtime.GC()
			watch.lap(&spent.collect)
		}
		if !asked.IgnoreEndOfSequence && model.EndsAnswer(next[0]) {
			found.Stop = "end-of-sequence"
			return nil
		}
		found.keep(next[0], chosenNs)
		if len(found.TokenIDs) == asked.NewTokens {
			return nil
		}
		// The token just chosen goes where the prompt and the tokens before it end.
		position := len(asked.PromptIDs) + len(found.TokenIDs) - 1
		if err := model.Decode(next, position); err != nil {
			return err
		}
		watch.lap(&spent.decode)
	}
}

// keep adds a token that was chosen at that time.
func (found *generation) keep(id int32, chosenNs int64) {
	found.TokenIDs = append(found.TokenIDs, id)
	found.ChunkNs = append(found.ChunkNs, chosenNs)
}

// stampCost is what the clock and keeping a token take from the engine, in nanoseconds a
// token: the median of several rounds of what decode does besides computing.
func stampCost() float64 {
	const tokens, rounds = 20000, 9
	costs := make([]float64, rounds)
	for round := range costs {
		found := generation{ChunkNs: make([]int64, 0, tokens), TokenIDs: make([]int32, 0, tokens)}
		var spent parts
		begin := now()
		watch := stopwatch{last: begin}
		for id := range int32(tokens) {
			found.keep(id, watch.lap(&spent.sample))
			watch.lap(&spent.decode)
		}
		costs[round] = float64(now()-begin) / tokens
	}
	slices.Sort(costs)
	return costs[rounds/2]
}

// check refuses what the libraries would meet each in its own way, some by ending the process.
func check(asked request, context, vocabulary int) error {
	if len(asked.PromptIDs) == 0 || asked.NewTokens < 1 {
		return fmt.Errorf("a request needs a prompt and at least one new token; it has %d prompt tokens and asks for %d",
			len(asked.PromptIDs), asked.NewTokens)
	}
	if needed := len(asked.PromptIDs) + asked.NewTokens; needed > context {
		return WithHint(
			fmt.Errorf("%d prompt tokens and %d new ones are %d, and the context has %d",
				len(asked.PromptIDs), asked.NewTokens, needed, context),
			"Ask for a larger context, or for fewer tokens.")
	}
	for _, id := range asked.PromptIDs {
		if id < 0 || int(id) >= vocabulary {
			return fmt.Errorf("token id %d is not in a vocabulary of %d", id, vocabulary)
		}
	}
	return nil
}

func textOf(model Model, ids []int32) (string, error) {
	var text strings.Builder
	for _, id := range ids {
		piece, err := model.Piece(id)
		if err != nil {
			return "", err
		}
		text.WriteString(piece)
	}
	return valid(text.String()), nil
}

func (spent parts) timings() map[string]float64 {
	return map[string]float64{
		// The prompt comes as ids.
		"tokenise_ns":   0,
		"prefill_ns":    float64(spent.prefill),
		"decode_ns":     float64(spent.decode),
		"sample_ns":     float64(spent.sample),
		"forced_gc_ns":  float64(spent.collect),
		"detokenise_ns": float64(spent.detokenise),
	}
}
