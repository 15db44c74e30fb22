package worker

import "golang.org/x/text/encoding/unicode"

// valid replaces what is no UTF-8 in the way Python does it, one mark for each beginning of
// a character that does not go on: an answer of a set length may end within a character.
func valid(text string) string {
	decoded, err := unicode.UTF8.NewDecoder().String(text)
	if err != nil {
		panic(err) // a decoder that replaces refuses nothing
	}
	return decoded
}
