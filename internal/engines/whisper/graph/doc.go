// Package graph turns the bytes of a Whisper checkpoint into the two ONNX graphs that the whisper engine runs.
//
// It promises that the same tensors give the same graph bytes, whatever file they came in (an OpenAI .pt, a
// CTranslate2 model.bin, safetensors), so that one digest in the catalogue stands for a model. It never runs
// anything a checkpoint holds, never allocates more than the file's own size warrants, and holds one weight
// at a time in memory: it is pure Go and needs no Python.
//
// The graphs, with B utterances, M mel frames, T = M/2 encoder frames, N tokens that go in at once, S places of the
// cache, C = S + N, H heads of 64, A alignment heads, V words in the vocabulary, and i counting the decoder's layers:
//
//	encoder  mel [B,mels,M]  at, weight [T]              -> ck{i} [B,H,64,T]  cv{i} [B,H,T,64]
//	decoder  tokens, pos [B,N]  mask [B,1,N,C]  weight [T]
//	         pk{i} [B,H,64,S]  pv{i} [B,H,S,64]
//	         ck{i}  cv{i}                                -> logp [B,N,V], log-probabilities of what follows each token,
//	                                                        att [B,A,N,T], nk{i} [B,H,64,N]  nv{i} [B,H,N,64]
//
// The encoder frames need not be neighbours: at has the position of each in the 30 s that Whisper was trained with, and weight
// is added to what attends to it, the logarithm of how many frames like it it stands for.
//
// The cache is the caller's: the graph reads pk and pv where they lie and hands out only what is new, nk and nv. What
// is added to the mask decides which places a token sees, so that the N tokens may be a text or rival texts.
//
// Matrices are int8 with one scale per output column and values in -63..63: in seven bits the sum of two
// products fits 16 bits, so a CPU without VNNI does not saturate and gives the same integers as one with it.
// What they are multiplied with is quantized row by row, so that a result does not depend on its neighbours in a batch.
// Operator set 17, IR version 8 (onnx.ai/onnx/repo-docs/IR.html), and ONNX Runtime's own MultiHeadAttention.
// testdata/build_graphs.py is the reference that the bytes are compared with.
package graph
