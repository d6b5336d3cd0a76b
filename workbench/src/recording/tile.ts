// The tiles that pictures come in; internal/picture is normative. A tile has up to 512 columns in order of time. Of peaks,
// a column is two int8, the lowest and the highest sample; of a spectrogram, 128 bytes, low frequencies first.

import type { Span } from '../api/types';
import type { View } from './view';

export const tileColumns = 512;
export const bins = 128;
const finestColumn = 128; // samples, 8 ms

export const columnSamples = (level: number) => finestColumn * 2 ** level;
export const tileSamples = (level: number) => tileColumns * columnSamples(level);

/** The level whose columns are the widest that are no wider than a pixel; the finest or the coarsest where none is. */
export function levelFor(v: View, levels: number): number {
  const wanted = Math.floor(Math.log2(v.perPixel / finestColumn));
  return Math.max(0, Math.min(levels - 1, wanted));
}

/** The tiles of a level that a span lies in. */
export function tilesIn(s: Span, level: number, samples: number): number[] {
  const size = tileSamples(level);
  const first = Math.max(0, Math.floor(s.from / size));
  const last = Math.min(Math.ceil(samples / size), Math.ceil(s.to / size)) - 1;
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
}

// The lower 96 bins hold 31.25 Hz each, which is what voice radio passes; above, each holds five times that.
const fineBins = 96;
const lineHz = 31.25;

/** The share of the picture's height, from below, at which a frequency stands. */
export function heightOf(hz: number): number {
  const line = hz / lineHz + 0.5;
  return (line <= fineBins ? line : fineBins + (line - fineBins) / 5) / bins;
}
