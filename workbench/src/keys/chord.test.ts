import { expect, test } from 'vitest';
import { chordOf, isSingle, keycaps } from './chord';

const press = (key: string, code: string, held: string[] = []) =>
  chordOf({ key, code, ctrlKey: held.includes('ctrl'), metaKey: held.includes('meta'), altKey: held.includes('alt'), shiftKey: held.includes('shift') });

test('letters are found on a Cyrillic layout', () => {
  expect(press('о', 'KeyJ')).toBe('j');
  expect(press('О', 'KeyJ', ['shift'])).toBe('Shift+j');
  expect(press('л', 'KeyK', ['ctrl'])).toBe('Ctrl+k');
});

test('marks are found on a Cyrillic layout by the place of the key', () => {
  expect(press('б', 'Comma')).toBe(',');
  expect(press('Ю', 'Period', ['shift'])).toBe('>');
  expect(press('х', 'BracketLeft')).toBe('[');
  expect(press('б', 'Comma', ['ctrl'])).toBe('Ctrl+,');
  expect(press('.', 'Slash', ['ctrl'])).toBe('Ctrl+/');
});

test('a Latin layout is followed by what is printed on the key', () => {
  expect(press('a', 'KeyQ')).toBe('a');
  expect(press('m', 'Semicolon')).toBe('m');
});

test('other keys', () => {
  expect(press('?', 'Slash', ['shift'])).toBe('?');
  expect(press('!', 'Digit1', ['shift'])).toBe('!');
  expect(press(' ', 'Space')).toBe('Space');
  expect(press(' ', 'Space', ['ctrl'])).toBe('Ctrl+Space');
  expect(press('ArrowLeft', 'ArrowLeft', ['alt'])).toBe('Alt+ArrowLeft');
  expect(press('Tab', 'Tab', ['shift'])).toBe('Shift+Tab');
  expect(press('z', 'KeyZ', ['meta', 'shift'])).toBe('Ctrl+Shift+z');
  expect(press('+', 'Equal', ['shift'])).toBe('+');
  expect(press('Shift', 'ShiftLeft', ['shift'])).toBe('');
});

test('single keys are those without Ctrl or Alt', () => {
  expect(['j', 'Shift+j', '?', '+', '0'].every(isSingle)).toBe(true);
  expect(['Ctrl+k', 'Space', 'Alt+ArrowLeft', 'F6', 'Enter', 'Tab'].some(isSingle)).toBe(false);
});

test('keycaps', () => {
  expect(keycaps('g h')).toEqual(['g', 'h']);
  expect(keycaps('Ctrl+Shift+z')).toEqual(['Ctrl-Shift-z']);
  expect(keycaps('+')).toEqual(['+']);
});
