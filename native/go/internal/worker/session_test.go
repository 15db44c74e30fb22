package worker

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

const loadPaper = `{"kind":"Load","body":{"loader":"paper","settings":{"model":{"name":"m","gguf":{"bf16":"m.gguf"}},"precision":"bf16","threads":1,"context":16}}}`

type closing struct {
	paper
	closed bool
}

func (model *closing) Close() { model.closed = true }

func (model *closing) Tokenize(text string) ([]int32, error) {
	if text == "panic" {
		panic("ggml said no")
	}
	return model.paper.Tokenize(text)
}

// talk gives the replies to these messages, decoded.
func talk(t *testing.T, worker *Worker, messages ...string) []map[string]any {
	t.Helper()
	var out bytes.Buffer
	if err := worker.Serve(strings.NewReader(strings.Join(messages, "\n")+"\n"), &out); err != nil {
		t.Fatal(err)
	}
	var replies []map[string]any
	for _, line := range strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n") {
		var reply map[string]any
		if err := json.Unmarshal([]byte(line), &reply); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		replies = append(replies, reply)
	}
	return replies
}

func workerWith(model Model) *Worker {
	return &Worker{Loaders: map[string]Loader{
		"paper": func(file string, _, _ int) (Model, error) {
			if file != "m.gguf" {
				return nil, errors.New("another file")
			}
			return model, nil
		},
	}}
}

func body(reply map[string]any) map[string]any { return reply["body"].(map[string]any) }

func TestAConversation(t *testing.T) {
	model := &closing{}
	replies := talk(t, workerWith(model), loadPaper,
		`{"kind":"Describe","body":{}}`,
		`{"kind":"Tokenize","body":{"text":"A"}}`,
		`{"kind":"Generate","body":{"request":{"prompt_text":"","prompt_ids":[2,5],"new_tokens":2,"seed":0,"ignore_end_of_sequence":true,"timeout_s":600.0}}}`,
		`{"kind":"Quit","body":{}}`,
		`{"kind":"Describe","body":{}}`,
	)
	var kinds []string
	for _, reply := range replies {
		kinds = append(kinds, reply["kind"].(string))
	}
	if strings.Join(kinds, " ") != "Ready Described TokenIds Generated" {
		t.Fatalf("%v", replies)
	}
	if build := body(replies[1])["description"].(map[string]any)["build"].(map[string]any); build["paper"] != "yes" || build["GOGC"] == nil {
		t.Errorf("%v", build)
	}
	if found := body(replies[3])["generation"].(map[string]any); found["text"] != "gh" {
		t.Errorf("%v", found)
	}
	if !model.closed {
		t.Error("the model was not freed")
	}
}

func TestTheEndOfThePipeFreesTheModel(t *testing.T) {
	model := &closing{}
	talk(t, workerWith(model), loadPaper)
	if !model.closed {
		t.Error("the model was not freed")
	}
}

func TestFailuresAreAnswers(t *testing.T) {
	short := `{"kind":"Generate","body":{"request":{"prompt_ids":[2],"new_tokens":99}}}`
	for what, test := range map[string]struct {
		messages      []string
		kind, message string
	}{
		"before the model": {[]string{`{"kind":"Describe","body":{}}`}, "EngineStartError", "before the model"},
		"no such engine":   {[]string{strings.Replace(loadPaper, `"paper"`, `"steam"`, 1)}, "EngineStartError", "steam"},
		"no such file":     {[]string{strings.Replace(loadPaper, `"precision":"bf16"`, `"precision":"q8_0"`, 1)}, "EngineStartError", "no GGUF file in q8_0"},
		"a bad file":       {[]string{strings.Replace(loadPaper, "m.gguf", "n.gguf", 1)}, "EngineStartError", "another file"},
		"too long":         {[]string{loadPaper, short}, "GenerationError", "the context has 16"},
		"a panic":          {[]string{loadPaper, `{"kind":"Tokenize","body":{"text":"panic"}}`}, "GenerationError", "ggml said no"},
		"out of step":      {[]string{loadPaper, `{"kind":"Ready","body":{}}`}, "GenerationError", "not for the worker"},
	} {
		replies := talk(t, workerWith(&closing{}), test.messages...)
		last := replies[len(replies)-1]
		if last["kind"] != "Failure" || body(last)["kind"] != test.kind || !strings.Contains(body(last)["message"].(string), test.message) {
			t.Errorf("%s: %v", what, last)
		}
	}
}

func TestWhatIsNoMessageEndsTheWorker(t *testing.T) {
	if err := workerWith(&closing{}).Serve(strings.NewReader("hello\n"), &bytes.Buffer{}); err == nil {
		t.Error("no error")
	}
}

func TestTheCostOfAStamp(t *testing.T) {
	replies := talk(t, workerWith(&closing{}), loadPaper, `{"kind":"MeasureStamps","body":{}}`)
	if cost := body(replies[1])["ns"].(float64); replies[1]["kind"] != "StampCost" || cost <= 0 {
		t.Errorf("%v", replies[1])
	}
}
