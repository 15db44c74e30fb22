package worker

import (
	"math"
	"testing"
)

func TestTheHighestLogitWins(t *testing.T) {
	nan := float32(math.NaN())
	for want, logits := range map[int32][]float32{
		0: {-1, -1, -2},
		1: {nan, 3, 3, nan},
		2: {float32(math.Inf(-1)), -5, 4},
	} {
		if found, err := best(logits); err != nil || found != want {
			t.Errorf("%v: %d, %v", logits, found, err)
		}
	}
}

func TestNoNumberNoToken(t *testing.T) {
	for _, logits := range [][]float32{nil, {float32(math.NaN())}, {float32(math.Inf(-1))}} {
		if found, err := best(logits); err == nil {
			t.Errorf("%v: %d", logits, found)
		}
	}
}

// The answers are those of Python's bytes.decode(errors="replace").
func TestTextEndsWithinACharacterAsInPython(t *testing.T) {
	for text, want := range map[string]string{
		"a fox":            "a fox",
		"":                 "",
		"é \xf0\x9f\x98":   "é \ufffd",
		"\xe2\x82":         "\ufffd",
		"\xff\xfe":         "\ufffd\ufffd",
		"\xf0\x28x":        "\ufffd(x",
		"\xed\xa0\x80":     "\ufffd\ufffd\ufffd",
		"\xf0\x9f\xe2\x82": "\ufffd\ufffd",
	} {
		if found := valid(text); found != want {
			t.Errorf("%q: %q instead of %q", text, found, want)
		}
	}
}

func TestTheSettingsOfTheCollectorAreKnown(t *testing.T) {
	t.Setenv("GOGC", "ignored: it was read when the process began")
	settings := CollectorSettings()
	if settings["GOGC"] == "" || settings["GOMEMLIMIT"] == "" {
		t.Errorf("%v", settings)
	}
}
