import { expect, test } from 'vitest';
import { heardAt, type Work } from './care';

const minute = 60_000;

// Listens a second in every so many minutes, and counts the breaks that are proposed.
function listen(minutes: number, every: number, after: number, begin: Work = { worked: 0, last: 0 }): number {
  let w = begin;
  let due = 0;
  for (let at = 0; at <= minutes; at += every) {
    const next = heardAt(w, 1e12 + at * minute, after);
    w = next.work;
    if (next.due) due++;
  }
  return due;
}

test('a break is proposed after the time set, once per interval', () => {
  expect(listen(49, 1, 50)).toBe(0);
  expect(listen(50, 1, 50)).toBe(1);
  expect(listen(99, 1, 50)).toBe(1);
  expect(listen(100, 1, 50)).toBe(2);
});

test('five minutes without sound are a break', () => {
  expect(listen(200, 4, 50)).toBe(3);
  expect(listen(200, 5, 50)).toBe(0);
});

test('zero switches it off, and a clock that was set back does no harm', () => {
  expect(listen(500, 1, 0)).toBe(0);
  expect(heardAt({ worked: 49 * minute, last: 2e12 }, 1e12, 50)).toEqual({ work: { worked: 0, last: 1e12 }, due: false });
});
