import type { LineView, Span } from '../api/types';
import { overlaps } from '../sound/time';

/** A line's name within its recording. */
export const lineID = (s: Span) => `${s.from}-${s.to}`;

export const inOrder = (a: LineView, b: LineView) => a.span.from - b.span.from || a.span.to - b.span.to;

/** Puts lines in place of all that overlap a stretch, as an answer to an edit says. */
export function replaceAround(lines: LineView[], around: Span, fresh: LineView[]): LineView[] {
  const named = new Set(fresh.map((l) => lineID(l.span)));
  return [...lines.filter((l) => !overlaps(l.span, around) && !named.has(lineID(l.span))), ...fresh].sort(inOrder);
}

/** The index of the first line that ends after a sample; lines.length where there is none. Lines are in order and barely overlap. */
export function firstAfter(lines: LineView[], sample: number): number {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((lines[middle]?.span.to ?? 0) > sample) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The line at a sample, or null. */
export function lineAt(lines: LineView[], sample: number): LineView | null {
  const l = lines[firstAfter(lines, sample)];
  return l && l.span.from <= sample ? l : null;
}

/** The next line after an index that fits, looking round from the end to the start; -1 where none does. */
export function nextFitting(lines: LineView[], after: number, fits: (l: LineView) => boolean): number {
  for (let i = 1; i <= lines.length; i++) {
    const at = (after + i) % lines.length;
    const l = lines[at];
    if (l && fits(l)) return at;
  }
  return -1;
}

/** Whether a person still has to read it. */
export const isUnread = (l: LineView) => l.author === '' && l.sound === 'speech' && l.state !== 'no speech';
