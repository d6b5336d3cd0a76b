import { expect, test } from 'vitest';
import { Heights } from './heights';

test('rows stand below each other, measured or not', () => {
  const h = new Heights(34);
  h.setRows(['a', 'b', 'c']);
  expect(h.total).toBe(102);
  expect(h.measured('b', 54)).toBe(true);
  expect(h.measured('b', 54)).toBe(false);
  expect([h.top(0), h.top(1), h.top(2), h.total]).toEqual([0, 34, 88, 122]);
  expect([h.at(0), h.at(33.9), h.at(34), h.at(87), h.at(88), h.at(1e9), h.at(-5)]).toEqual([0, 0, 1, 1, 2, 2, 0]);
});

test('a row keeps its height when others come before it', () => {
  const h = new Heights(34);
  h.setRows(['b']);
  h.measured('b', 54);
  h.setRows(['a', 'b']);
  expect(h.top(1)).toBe(34);
  expect(h.total).toBe(88);
});

test('nothing at all', () => {
  const h = new Heights(34);
  h.setRows([]);
  expect([h.total, h.at(10), h.top(3)]).toEqual([0, 0, 0]);
});
