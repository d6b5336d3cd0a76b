// Package graph turns the bytes of a Whisper checkpoint into the two ONNX graphs that the whisper engine runs.
//
// It promises that the same tensors give the same graph bytes, whatever file they came in (an OpenAI .pt, a
// CTranslate2 model.bin, safetensors), so that one digest in the catalogue stands for a model. It never runs
// anything a checkpoint holds, never allocates more than the file's own size warrants, and holds one weight
// at a time in memory: it is pure Go and needs no Python.
//
// The graphs, with B utterances, M mel frames, T = M/2 encoder frames, N new tokens, P tokens already decoded,
// S = P + N, L decoder layers, H heads of 64, A alignment heads and V words in the vocabulary:
//
//	encoder  mel [B,mels,M]                                  -> ck [L,B,H,64,T]  cv [L,B,H,T,64]
//	decoder  tokens [B,N]  pos [N]  mask [B,1,N,S]
//	         cmask [B,1,1,T]  pk, pv [L,B,H,P,64]  ck  cv    -> logits [B,V] of the last token,
//	                                                            nk, nv [L,B,H,S,64], att [B,A,N,T]
//
// Matrices are int8 with one scale per output column and values in -63..63: in seven bits the sum of two
// products fits 16 bits, so a CPU without VNNI does not saturate and gives the same integers as one with it.
// Operator set 17, IR version 8 (onnx.ai/onnx/repo-docs/IR.html).
package graph
