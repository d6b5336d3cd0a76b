//go:build !(cgo && linux)

package main

import (
	"errors"

	"github.com/earwitness/earwitness/bench/corpus"
)

func fit(options, []corpus.Utterance) error {
	return errors.New("the recogniser is built for Linux with a C compiler only")
}
