package worker

import (
	"errors"
	"math"
)

var errNoLogit = errors.New("the model gave no logit that is a number: its weights are not usable")

// best gives the id with the highest logit; of equal ones the lowest id wins, as in the
// bindings of the other stacks.
func best(logits []float32) (int32, error) {
	found := -1
	highest := float32(math.Inf(-1))
	for id, logit := range logits {
		// A comparison with NaN is false, so NaN never wins.
		if logit > highest {
			found, highest = id, logit
		}
	}
	if found < 0 {
		return 0, errNoLogit
	}
	return int32(found), nil
}
