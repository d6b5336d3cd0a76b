import type { LineView, WordView } from '../api/types';
import { isNumber, setting } from '../ui/setting';

/** Words of a probability below this (in 1/10000) are in doubt, for this person. */
export const threshold = setting('doubt.threshold', 5000, isNumber);

export const isDoubtful = (w: WordView, below: number) => w[3] < below;

/** How many of the machine's words are in doubt, where they still count: once a person has written, theirs do. */
export function doubtfulWords(l: LineView, below: number): number {
  return l.author || l.hidden ? 0 : l.words.filter((w) => isDoubtful(w, below)).length;
}

/** The share of a line's words that is in doubt, which orders the queue. */
export function doubtfulShare(l: LineView, below: number): number {
  return l.words.length === 0 ? 0 : doubtfulWords(l, below) / l.words.length;
}

/** A text cut where the machine's words stand in it, each with what the machine thought of it. */
export function wordsIn(text: string, words: WordView[]): { text: string; word: WordView | null }[] {
  const out: { text: string; word: WordView | null }[] = [];
  let at = 0;
  for (const w of words) {
    const found = text.indexOf(w[0], at);
    if (found < 0 || w[0] === '') continue;
    if (found > at) out.push({ text: text.slice(at, found), word: null });
    out.push({ text: w[0], word: w });
    at = found + w[0].length;
  }
  if (at < text.length) out.push({ text: text.slice(at), word: null });
  return out;
}
