// What keys do to a text in a field. Positions are those of the field: UTF-16 units.

export interface Typed {
  text: string;
  from: number; // the selection afterwards
  to: number;
}

/** Puts a piece in place of the selection, with spaces where words would touch it. */
export function insertPiece(text: string, from: number, to: number, piece: string): Typed {
  const before = from > 0 && !/\s$/.test(text.slice(0, from)) ? ' ' : '';
  const after = to < text.length && !/^[\s.,;:!?…]/.test(text.slice(to)) ? ' ' : '';
  const at = from + before.length + piece.length + after.length;
  return { text: text.slice(0, from) + before + piece + after + text.slice(to), from: at, to: at };
}

export function inaudiblePiece(seconds: number): string {
  return `[inaudible ${Math.min(3600, Math.max(0.1, Math.round(seconds * 10) / 10)).toFixed(1)} s]`;
}

/** Makes the word at the caret, or the selection, one of two hearings, with the caret where the other goes. */
export function offerRival(text: string, from: number, to: number): Typed {
  let [a, b] = [from, to];
  if (a === b) {
    while (a > 0 && isWord(text[a - 1])) a--;
    while (b < text.length && isWord(text[b])) b++;
  }
  const word = text.slice(a, b).trim();
  const begin = text.slice(0, a);
  // Without a word, what stands on either side is still to be typed: the caret goes to the first.
  const piece = `[${word} / ]`;
  const caret = word ? begin.length + piece.length - 1 : begin.length + 1;
  return { text: begin + piece + text.slice(b), from: caret, to: caret };
}

const isWord = (c: string | undefined) => c !== undefined && /[\p{L}\p{M}\p{N}'’ʼ-]/u.test(c);

/** Divides a text at a position, at the nearest space where that is inside a word. */
export function divide(text: string, at: number): [string, string] {
  let cut = Math.max(0, Math.min(text.length, at));
  if (isWord(text[cut - 1]) && isWord(text[cut])) {
    const before = text.lastIndexOf(' ', cut);
    const after = text.indexOf(' ', cut);
    cut = after < 0 || (before >= 0 && cut - before <= after - cut) ? Math.max(0, before) : after;
  }
  return [text.slice(0, cut).trim(), text.slice(cut).trim()];
}
