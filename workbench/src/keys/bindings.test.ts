import { beforeEach, expect, test } from 'vitest';
import { bind, isBound, keysOf, refusal, reset, resetAll, take } from './bindings';
import { catalog } from './catalog';

beforeEach(() => resetAll());

test('a key is bound in place of the others, or beside them', () => {
  bind('next', 'F7', false);
  expect(keysOf('next')).toEqual(['F7']);
  bind('next', 'ArrowDown', true);
  expect(keysOf('next')).toEqual(['F7', 'ArrowDown']);
  reset('next');
  expect(keysOf('next')).toEqual(catalog.next.keys);
  expect(isBound('next')).toBe(false);
  expect(localStorage.getItem('earwitness.keys.bound')).toBeNull();
});

test('a clash is found only where both commands can be meant', () => {
  expect(refusal('next', 'k')).toEqual({ kind: 'clash', with: 'previous' });
  expect(refusal('next', 'g')).toEqual({ kind: 'clash', with: 'settings' }); // the first of two keys
  expect(refusal('next', 'Ctrl+i')).toBeNull(); // means something only while writing
  expect(refusal('editInaudible', 'Ctrl+k')).toEqual({ kind: 'clash', with: 'find' });
  expect(refusal('next', 'q')).toBeNull();
});

test('the browser keeps its keys, and a letter stays a letter while writing', () => {
  expect(refusal('next', 'Ctrl+w')).toEqual({ kind: 'browser' });
  expect(refusal('next', 'Tab')).toEqual({ kind: 'browser' });
  expect(refusal('editSave', 'q')).toEqual({ kind: 'letter' });
});

test('a key that was taken is not given back while the other has it', () => {
  take('previous', 'k');
  bind('next', 'k', true);
  reset('previous');
  expect(keysOf('previous')).toEqual(['ArrowUp']);
  resetAll();
  expect(keysOf('previous')).toEqual(['k', 'ArrowUp']);
});
