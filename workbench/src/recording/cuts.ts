// Moving the boundaries of transmissions. Arithmetic on lines; what comes out is a change like any other.

import type { LineView, Span } from '../api/types';
import { stretchOf, writtenText, type Change } from '../lines/change';
import { divide } from '../lines/typing';

const shortest = 800; // samples, 50 ms

type Cut = Extract<Change, { kind: 'cut' }>;

/** Divides a line at a sample; people's words go with it, at the caret or as the machine's words lie in time. */
export function splitAt(l: LineView, at: number, text = writtenText(l), caret?: number): Cut | null {
  if (at - l.span.from < shortest || l.span.to - at < shortest) return null;
  const written = text !== '' && (l.author !== '' || text !== l.text);
  const [a, b] = written ? divide(text, caret ?? Math.round(text.length * shareBefore(l, at))) : ['', ''];
  return {
    kind: 'cut', language: l.lang, before: [stretchOf(l)],
    after: [{ span: { from: l.span.from, to: at }, text: a }, { span: { from: at, to: l.span.to }, text: b }],
  };
}

/** Joins two lines, and the words that people wrote for them. */
export function join(a: LineView, b: LineView): Cut {
  const text = a.author || b.author ? [a.text, b.text].filter(Boolean).join(' ') : '';
  return { kind: 'cut', language: a.lang || b.lang, before: [stretchOf(a), stretchOf(b)], after: [{ span: { from: a.span.from, to: Math.max(a.span.to, b.span.to) }, text }] };
}

/** Moves a line's edge. It does not reach into its neighbours. */
export function moveEdge(lines: LineView[], l: LineView, edge: 'from' | 'to', at: number, samples: number): Cut | null {
  const i = lines.indexOf(l);
  const least = edge === 'from' ? Math.max(0, i > 0 ? (lines[i - 1]?.span.to ?? 0) : 0) : l.span.from + shortest;
  const most = edge === 'from' ? l.span.to - shortest : (lines[i + 1]?.span.from ?? samples);
  const to = Math.round(Math.max(least, Math.min(most, at)));
  const span: Span = { ...l.span, [edge]: to };
  if (to === l.span[edge] || span.to - span.from < shortest) return null;
  return { kind: 'cut', language: l.lang, before: [stretchOf(l)], after: [{ span, text: writtenText(l) }] };
}

/** A transmission that nobody had found. */
export function find(s: Span, language: string): Cut | null {
  if (s.to - s.from < shortest) return null;
  return { kind: 'cut', language, before: [], after: [{ span: { from: Math.round(s.from), to: Math.round(s.to) }, text: '' }] };
}

// The share of the words that comes before a sample: by the machine's words where there are some, else by time.
function shareBefore(l: LineView, at: number): number {
  const letters = l.words.reduce((n, w) => n + w[0].length + 1, 0);
  if (letters === 0) return (at - l.span.from) / (l.span.to - l.span.from);
  return l.words.reduce((n, w) => n + (w[1] + w[2] < 2 * at ? w[0].length + 1 : 0), 0) / letters;
}
