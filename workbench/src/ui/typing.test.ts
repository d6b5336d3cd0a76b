import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { whenNotTyping } from './typing';

beforeEach(() => {
  vi.useFakeTimers();
  document.body.innerHTML = '<textarea id="a"></textarea><input id="b"><button id="c"></button>';
});
afterEach(() => {
  vi.useRealTimers();
});
const focus = (id: string) => document.getElementById(id)?.focus();

test('nothing opens while a field has the focus, nor on the way from one to the next', () => {
  focus('a');
  const f = vi.fn();
  const later = vi.fn();
  whenNotTyping(f, later);
  expect(later).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(5000);
  focus('c');
  vi.advanceTimersByTime(100);
  focus('b');
  vi.advanceTimersByTime(5000);
  expect(f).not.toHaveBeenCalled();
  focus('c');
  vi.advanceTimersByTime(300);
  expect(f).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(5000);
  expect(f).toHaveBeenCalledOnce();
});

test('where nobody types it opens at once; a dialog that is open is waited for', () => {
  focus('c');
  const f = vi.fn();
  whenNotTyping(f, () => undefined);
  expect(f).toHaveBeenCalledOnce();
  document.body.insertAdjacentHTML('beforeend', '<dialog open></dialog>');
  const g = vi.fn();
  const giveUp = whenNotTyping(g, () => undefined);
  vi.advanceTimersByTime(1000);
  expect(g).not.toHaveBeenCalled();
  giveUp();
  document.querySelector('dialog')?.remove();
  vi.advanceTimersByTime(1000);
  expect(g).not.toHaveBeenCalled();
});
