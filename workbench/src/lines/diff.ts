export interface DiffPart {
  text: string;
  side: 'both' | 'left' | 'right';
}

/** The difference of two texts, word by word; spaces and punctuation count as words of their own. */
export function diffWords(left: string, right: string): DiffPart[] {
  const a = tokens(left);
  const b = tokens(right);
  // Lines are short, so the plain table of longest common subsequences is fast enough; far longer texts are told as one change.
  if (a.length * b.length > 4_000_000) return [{ text: left, side: 'left' }, { text: right, side: 'right' }];
  const width = b.length + 1;
  const common = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i * width + j] = a[i] === b[j]
        ? (common[(i + 1) * width + j + 1] ?? 0) + 1
        : Math.max(common[(i + 1) * width + j] ?? 0, common[i * width + j + 1] ?? 0);
    }
  }
  const out: DiffPart[] = [];
  const add = (text: string | undefined, side: DiffPart['side']) => {
    if (text === undefined) return;
    const last = out.at(-1);
    if (last?.side === side) last.text += text;
    else out.push({ text, side });
  };
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      add(a[i++], 'both');
      j++;
    } else if ((common[(i + 1) * width + j] ?? 0) >= (common[i * width + j + 1] ?? 0)) {
      add(a[i++], 'left');
    } else {
      add(b[j++], 'right');
    }
  }
  while (i < a.length) add(a[i++], 'left');
  while (j < b.length) add(b[j++], 'right');
  return out;
}

/** One side of a difference, with what only it has marked. */
export function sideOf(parts: DiffPart[], side: 'left' | 'right'): { text: string; differs: boolean }[] {
  return parts.filter((p) => p.side === 'both' || p.side === side).map((p) => ({ text: p.text, differs: p.side !== 'both' }));
}

const tokens = (s: string) => s.match(/[\p{L}\p{M}\p{N}'’ʼ-]+|\s+|[^\p{L}\p{M}\p{N}\s]/gu) ?? [];
