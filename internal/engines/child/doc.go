// Package child keeps native speech code in a process of its own, so that a crash there is an error here.
//
// Engine starts the program earwitness-engine, speaks with it over its standard input and output, and ends
// it when it hangs, eats memory or breaks the protocol; the next request then starts it again. Serve is the
// other end. Neither knows what a case is, and this package links no native code.
//
// # Protocol, version 3
//
// Both directions carry frames: the length of the header and of the payload, four bytes each, most
// significant first; the header, a JSON object; the payload. The child speaks first, with hello. A request
// has an id, from 1 upwards, and each is answered once, in any order:
//
//	speech   payload: samples            -> payload: probabilities
//	clean    payload: samples            -> payload: as many samples, with the noise taken off
//	load     header: manifest, folder    -> nothing
//	hear     header: model, options
//	         payload: samples            -> header: heard
//	voice    header: model
//	         payload: samples            -> payload: a vector of length 1
//	unload   header: model               -> nothing
//	cancel   header: the request's id    -> no answer of its own; the request may then be answered early
//
// Requests are worked on side by side: as many as the engine has threads, and HearsPerThread times as many that hear, which
// the engine may hear several at once. So an utterance may wait inside the engine, and its deadline counts from the last
// answer to any request to hear.
//
// Samples are signed 16 bits at 16 kHz, probabilities and vectors are IEEE 754 of 32 bits, both least significant byte
// first. An answer may be an error instead, with its kind. The end of the child's input ends the child.
//
// # Blame
//
// When the process ends while several requests are under way, nobody knows which of them did it. Engine then
// repeats each of them with nothing beside it; one that ends the process twice while alone is to blame and
// gets the error. One that overstays its deadline is to blame at once, unless others wait to be heard beside it.
package child
