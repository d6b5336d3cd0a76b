// Keys as they are written in the catalogue: "j", "Shift+j", "Ctrl+k", "?", "Alt+ArrowLeft".

type KeyLike = Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>;

// What stands on the keys of a US keyboard beside the letters, plain and with Shift. Layouts that put a letter there
// (ю on Period, б on Comma) are read by the place of the key.
const marks: Record<string, [string, string]> = {
  Comma: [',', '<'], Period: ['.', '>'], Slash: ['/', '?'], BracketLeft: ['[', '{'], BracketRight: [']', '}'],
  Minus: ['-', '_'], Equal: ['=', '+'], Semicolon: [';', ':'], Quote: ["'", '"'], Backquote: ['`', '~'], Backslash: ['\\', '|'],
};

const isLatin = (key: string) => /^[a-z]$/i.test(key);
const isASCII = (key: string) => /^[\x21-\x7e]$/.test(key);

/** Names what was pressed; empty for a modifier alone. */
export function chordOf(e: KeyLike): string {
  if (['Shift', 'Control', 'Alt', 'Meta', 'AltGraph', 'Dead', 'Unidentified', 'Process'].includes(e.key) && !e.code.startsWith('Key')) return '';
  const ctrl = e.ctrlKey || e.metaKey;
  const held = (ctrl ? 'Ctrl+' : '') + (e.altKey ? 'Alt+' : '');
  const letter = /^Key([A-Z])$/.exec(e.code)?.[1];
  // A Latin layout of its own (AZERTY, Dvorak) is followed by what is printed on the key, any other by the key's place.
  if (isLatin(e.key) || letter) {
    const name = isLatin(e.key) ? e.key.toLowerCase() : (letter ?? '').toLowerCase();
    return held + (e.shiftKey ? 'Shift+' : '') + name;
  }
  if (e.code === 'Space') return held + (e.shiftKey ? 'Shift+' : '') + 'Space';
  if (isASCII(e.key) && !ctrl) return held + e.key;
  const place = marks[e.code];
  if (place) return held + place[e.shiftKey && !ctrl ? 1 : 0];
  if (isASCII(e.key)) return held + e.key;
  return held + (e.shiftKey ? 'Shift+' : '') + e.key;
}

/** Whether a chord is a single printable key, which WCAG 2.1.4 wants to be possible to switch off. */
export function isSingle(chord: string): boolean {
  return /^(Shift\+)?[a-z]$|^[\x21-\x7e]$/.test(chord);
}

/** A chord as a person reads it on keycaps. */
export function keycaps(chord: string): string[] {
  return chord.split(' ').map((c) =>
    c === '+' ? '+' : c.replace(/\+(?!$)/g, '-').replace('ArrowLeft', '←').replace('ArrowRight', '→').replace('ArrowUp', '↑').replace('ArrowDown', '↓').replace('Escape', 'Esc'),
  );
}
