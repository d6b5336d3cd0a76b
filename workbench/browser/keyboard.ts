// A keyboard as people have them: a key has a place (code), and a layout that says which letter stands on it.
import type { CDPSession, Page } from 'playwright-core';

const cyrillic: Record<string, string> = Object.fromEntries(
  [...'qwertyuiop[]asdfghjkl;\'zxcvbnm,.'].map((latin, i) => [latin, [...'йцукенгшщзхъфывапролджэячсмитьбю'][i] ?? latin]),
);

const places: Record<string, string> = {
  ' ': 'Space', ',': 'Comma', '.': 'Period', '/': 'Slash', '[': 'BracketLeft', ']': 'BracketRight', ';': 'Semicolon', "'": 'Quote', '-': 'Minus', '=': 'Equal',
};

const codeOf = (key: string): string => (/^[a-z]$/.test(key) ? `Key${key.toUpperCase()}` : /^[0-9]$/.test(key) ? `Digit${key}` : places[key] ?? key);

const numbers: Record<string, number> = { Enter: 13, Tab: 9, Escape: 27, Space: 32, ArrowUp: 38, ArrowDown: 40, ArrowLeft: 37, ArrowRight: 39, Home: 36, End: 35, Backspace: 8, Delete: 46 };

/** Presses keys by their place, with the letters of a layout on them. There is no mouse here. */
export class Keyboard {
  private constructor(
    private readonly page: Page,
    private readonly protocol: CDPSession,
    private readonly layout: 'latin' | 'cyrillic',
  ) {}

  static async of(page: Page, layout: 'latin' | 'cyrillic'): Promise<Keyboard> {
    return new Keyboard(page, await page.context().newCDPSession(page), layout);
  }

  /** Presses one key, such as 'j', 'Ctrl+z', 'Shift+Tab'; the name is that of the Latin layout. */
  async press(chord: string): Promise<void> {
    const parts = chord.split('+');
    const name = parts.pop() ?? '';
    const modifiers = (parts.includes('Alt') ? 1 : 0) | (parts.includes('Ctrl') ? 2 : 0) | (parts.includes('Shift') ? 8 : 0);
    const single = [...name].length === 1;
    const code = codeOf(name);
    let key = single && this.layout === 'cyrillic' ? cyrillic[name] ?? name : code === 'Space' ? ' ' : name;
    if (parts.includes('Shift') && single) key = key.toUpperCase();
    const number = numbers[code] ?? (/^Key/.test(code) ? code.charCodeAt(3) : name.charCodeAt(0));
    const types = modifiers === 0 || modifiers === 8 ? (name === 'Enter' ? '\r' : single || code === 'Space' ? key : undefined) : undefined;
    const event = { modifiers, code, key, windowsVirtualKeyCode: number, nativeVirtualKeyCode: number };
    await this.protocol.send('Input.dispatchKeyEvent', { type: types === undefined ? 'rawKeyDown' : 'keyDown', ...event, ...(types !== undefined && { text: types }) });
    await this.protocol.send('Input.dispatchKeyEvent', { type: 'keyUp', ...event });
    // What the key did is drawn before the next one, as for a person.
    await this.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => done(undefined))));
  }

  async presses(...chords: string[]): Promise<void> {
    for (const chord of chords) await this.press(chord);
  }

  /** Types words into the field that has the focus, in place of what is selected. */
  async type(words: string): Promise<void> {
    await this.page.keyboard.insertText(words);
  }
}
