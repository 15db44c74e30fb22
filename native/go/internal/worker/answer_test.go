package worker

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

const endID = 9

// paper is a model of ten tokens that counts upwards from the last token.
type paper struct {
	forgotten int
	positions []int
	last      int32
	broken    bool
	garbage   []byte
}

func (model *paper) Describe() Description {
	return Description{Version: "1", Build: map[string]string{"paper": "yes"}}
}
func (model *paper) Tokenize(text string) ([]int32, error) { return []int32{2, int32(text[0])}, nil }
func (model *paper) Piece(id int32) (string, error)        { return string(rune('a' + id)), nil }
func (model *paper) EndsAnswer(id int32) bool              { return id == endID }
func (model *paper) Vocabulary() int                       { return endID + 1 }
func (model *paper) Close()                                {}

func (model *paper) Forget() error {
	model.forgotten++
	return nil
}

func (model *paper) Decode(ids []int32, position int) error {
	if model.broken {
		return errors.New("out of luck")
	}
	model.positions = append(model.positions, position)
	model.last = ids[len(ids)-1]
	return nil
}

func (model *paper) Logits() ([]float32, error) {
	model.garbage = make([]byte, 1<<20) // as large as a row of a real vocabulary
	logits := make([]float32, model.Vocabulary())
	logits[(int(model.last)+1)%len(logits)] = 1
	return logits, nil
}

func ask(tokens int) request {
	return request{PromptIDs: []int32{2, 5}, NewTokens: tokens, IgnoreEndOfSequence: true}
}

func TestTokensFollowOneAnotherInPlace(t *testing.T) {
	model := &paper{}
	found, err := answer(model, ask(3), 16, false)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(found.TokenIDs, []int32{6, 7, 8}) || found.Text != "ghi" {
		t.Errorf("ids %v, text %q", found.TokenIDs, found.Text)
	}
	if !slices.Equal(model.positions, []int{0, 2, 3}) {
		t.Errorf("positions %v", model.positions)
	}
	if model.forgotten != 1 {
		t.Error("the answer before was not forgotten")
	}
	if found.Stop != "length" || found.PromptTokens != 2 || found.OutputTokens != 3 {
		t.Errorf("%+v", found)
	}
}

func TestStampsAreInOrder(t *testing.T) {
	found, err := answer(&paper{}, ask(4), 16, false)
	if err != nil {
		t.Fatal(err)
	}
	stamps := append([]int64{found.RequestedNs}, append(found.ChunkNs, found.EndedNs)...)
	if len(found.ChunkNs) != 4 || !slices.IsSorted(stamps) {
		t.Errorf("stamps %v", stamps)
	}
}

func TestThePartsOfARequestAddUpToIt(t *testing.T) {
	for _, forced := range []bool{false, true} {
		found, err := answer(&paper{}, ask(5), 16, forced)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for name, value := range found.EngineTimings {
			if strings.HasSuffix(name, "_ns") && name != "gc_pause_ns" {
				sum += value
			}
		}
		if whole := float64(found.EndedNs - found.RequestedNs); sum != whole {
			t.Errorf("the parts are %v ns of %v", sum, whole)
		}
	}
}

func TestTheEndOfASequence(t *testing.T) {
	found, err := answer(&paper{}, ask(5), 16, false)
	if err != nil || found.OutputTokens != 5 || found.Stop != "length" {
		t.Errorf("ignored: %+v, %v", found, err)
	}
	asked := ask(5)
	asked.IgnoreEndOfSequence = false
	found, err = answer(&paper{}, asked, 16, false)
	if err != nil || !slices.Equal(found.TokenIDs, []int32{6, 7, 8}) || found.Stop != "end-of-sequence" {
		t.Errorf("obeyed: %+v, %v", found, err)
	}
}

func TestForcedCollectionsAreSeen(t *testing.T) {
	const tokens = 6
	forced, err := answer(&paper{}, ask(tokens), 16, true)
	if err != nil {
		t.Fatal(err)
	}
	timings := forced.EngineTimings
	if timings["gc_cycles"] < tokens || timings["gc_pause_ns"] <= 0 || timings["gc_cpu_s"] <= 0 {
		t.Errorf("%v", timings)
	}
	if timings["forced_gc_ns"] <= 0 || timings["heap_allocated_bytes"] < tokens<<20 {
		t.Errorf("%v", timings)
	}
	free, err := answer(&paper{}, ask(tokens), 16, false)
	if err != nil || free.EngineTimings["forced_gc_ns"] != 0 {
		t.Errorf("%v, %v", free.EngineTimings, err)
	}
}

func TestWhatCannotBeAnsweredIsRefused(t *testing.T) {
	for what, asked := range map[string]request{
		"no prompt":     {NewTokens: 1},
		"no new token":  {PromptIDs: []int32{2}},
		"beyond":        {PromptIDs: []int32{2}, NewTokens: 16},
		"not a token":   {PromptIDs: []int32{endID + 1}, NewTokens: 1},
		"less than any": {PromptIDs: []int32{-1}, NewTokens: 1},
	} {
		model := &paper{}
		if _, err := answer(model, asked, 16, false); err == nil || len(model.positions) > 0 {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestAModelThatFailsIsAnError(t *testing.T) {
	if _, err := answer(&paper{broken: true}, ask(1), 16, false); err == nil {
		t.Error("no error")
	}
}
