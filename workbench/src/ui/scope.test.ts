import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { settled, spaced } from './scope';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const often = (f: () => void) => {
  for (let i = 0; i < 100; i++) {
    f();
    vi.advanceTimersByTime(10);
  }
};

test('what is spaced happens however fast the calls come, and not more often', () => {
  const f = vi.fn();
  often(spaced(300, f));
  expect(f).toHaveBeenCalledTimes(3);
  vi.advanceTimersByTime(300);
  expect(f).toHaveBeenCalledTimes(4);
});

test('at once, and then once more after the last', () => {
  const f = vi.fn();
  const call = spaced(1000, f, { atOnce: true });
  call();
  expect(f).toHaveBeenCalledTimes(1);
  call();
  call();
  vi.advanceTimersByTime(1000);
  expect(f).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(5000);
  expect(f).toHaveBeenCalledTimes(2);
  call();
  expect(f).toHaveBeenCalledTimes(3);
});

test('what waits until it is quiet does not happen before', () => {
  const f = vi.fn();
  often(settled(300, f));
  expect(f).not.toHaveBeenCalled();
  vi.advanceTimersByTime(300);
  expect(f).toHaveBeenCalledTimes(1);
});
