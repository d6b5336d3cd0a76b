import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { available, Dispatcher, provide, singleKeys, type Handlers } from './dispatch';

let d: Dispatcher;
const ends: (() => void)[] = [];
const given = (h: Handlers) => ends.push(provide(h));

beforeEach(() => {
  d = new Dispatcher();
  document.body.innerHTML = '<div role="grid"><div role="row" tabindex="0" id="row"></div></div><textarea id="field"></textarea><button id="button"></button>';
});
afterEach(() => {
  for (const end of ends.splice(0)) end();
  singleKeys.value = true;
});

function press(on: string, key: string, code: string, held: KeyboardEventInit = {}): boolean {
  const e = new KeyboardEvent('keydown', { key, code, bubbles: true, cancelable: true, ...held });
  document.getElementById(on)?.dispatchEvent(e);
  return d.press(e);
}

test('a letter is a command in the list and a letter in a field', () => {
  const next = vi.fn();
  given({ next });
  expect(press('row', 'о', 'KeyJ')).toBe(true);
  expect(press('field', 'j', 'KeyJ')).toBe(false);
  expect(next).toHaveBeenCalledOnce();
});

test('Ctrl-H splits in a field, h writes an h', () => {
  const split = vi.fn();
  given({ split });
  expect(press('field', 'h', 'KeyH')).toBe(false);
  expect(press('field', 'h', 'KeyH', { ctrlKey: true })).toBe(true);
});

test('Tab plays in the list only: elsewhere it moves the focus', () => {
  const replay = vi.fn();
  given({ replay });
  expect(press('button', 'Tab', 'Tab')).toBe(false);
  expect(press('row', 'Tab', 'Tab')).toBe(true);
});

test('Space belongs to a button that has the focus', () => {
  const play = vi.fn();
  given({ play });
  expect(press('button', ' ', 'Space')).toBe(false);
  expect(press('row', ' ', 'Space')).toBe(true);
});

test('two keys, one after the other', () => {
  const goSearch = vi.fn();
  const speaker = vi.fn();
  given({ goSearch, speaker });
  press('row', 'g', 'KeyG');
  press('row', 'ы', 'KeyS');
  expect(goSearch).toHaveBeenCalledOnce();
  expect(speaker).not.toHaveBeenCalled();
  press('row', 's', 'KeyS');
  expect(speaker).toHaveBeenCalledOnce();
});

test('single letters can be switched off; what needs Ctrl stays', () => {
  const next = vi.fn();
  const undo = vi.fn();
  given({ next, undo });
  singleKeys.value = false;
  expect(press('row', 'j', 'KeyJ')).toBe(false);
  expect(press('row', 'z', 'KeyZ', { ctrlKey: true })).toBe(true);
  expect(press('row', 'ArrowDown', 'ArrowDown')).toBe(true);
});

test('a command that declines leaves the key to the browser', () => {
  given({ leave: () => false });
  expect(press('row', 'Escape', 'Escape')).toBe(false);
});

test('while a dialog is open, the screen below has no keys', () => {
  const next = vi.fn();
  given({ next });
  document.body.insertAdjacentHTML('beforeend', '<dialog open></dialog>');
  expect(press('row', 'j', 'KeyJ')).toBe(false);
});

test('the palette offers what can be done now', () => {
  expect(available()).not.toContain('next');
  given({ next: () => undefined });
  expect(available()).toContain('next');
});
