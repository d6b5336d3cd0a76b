// Text of strangers, made safe to look at, and the objects that people write into it.

/** A stretch of a line's text as it is shown. */
export type Part =
  | { kind: 'words'; text: string }
  | { kind: 'hidden'; code: string } // shows nothing, and may change how the text around it shows
  | { kind: 'inaudible'; seconds: string }
  | { kind: 'rivals'; hearings: string[] };

// As internal/transcript.Hidden has it. Joiners are part of how some scripts are spelled; line breaks and tabs show.
const hiddenForm = /[\p{Cc}\p{Cf}\u2028\u2029]/u;
const shown = new Set(['\u200c', '\u200d', '\n', '\t']);

export function isHidden(c: string): boolean {
  return hiddenForm.test(c) && !shown.has(c);
}

/** Cuts out what is hidden. */
export function reveal(text: string): Part[] {
  const out: Part[] = [];
  let words = '';
  for (const c of text) {
    if (!isHidden(c)) {
      words += c;
      continue;
    }
    if (words) out.push({ kind: 'words', text: words });
    words = '';
    out.push({ kind: 'hidden', code: `U+${(c.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}` });
  }
  if (words) out.push({ kind: 'words', text: words });
  return out;
}

/** A text without anything hidden, for names of controls and for copying into a place that shows text as it is. */
export function plain(text: string): string {
  return reveal(text).map((p) => (p.kind === 'words' ? p.text : p.kind === 'hidden' ? `[${p.code}]` : '')).join('');
}

// As evidence.ParseWording reads it.
const pieceForm = /\[inaudible (\d{1,4}(?:\.\d)?) s\]|\[([^[\]/]*[^[\]/ ](?: \/ [^[\]/ ][^[\]/]*)+)\]/g;

/** Reads words as a person types them. */
export function parseWording(text: string): Part[] {
  const out: Part[] = [];
  let at = 0;
  for (const m of text.matchAll(pieceForm)) {
    out.push(...reveal(text.slice(at, m.index)));
    if (m[1]) out.push({ kind: 'inaudible', seconds: m[1] });
    else out.push({ kind: 'rivals', hearings: (m[2] ?? '').split(' / ').map((h) => h.trim()) });
    at = m.index + m[0].length;
  }
  out.push(...reveal(text.slice(at)));
  return out;
}
