import { expect, test } from 'vitest';
import { Coverage } from './coverage';

test('pieces that touch are one', () => {
  const c = new Coverage();
  c.add(0, 100);
  c.add(200, 300);
  expect(c.covers({ from: 0, to: 300 })).toBe(false);
  c.add(100, 200);
  expect(c.covers({ from: 0, to: 300 })).toBe(true);
  expect(c.covers({ from: 0, to: 301 })).toBe(false);
});

test('a gap in the middle is not played, whatever the slack', () => {
  const c = new Coverage();
  c.add(0, 140);
  c.add(150, 300);
  expect(c.covers({ from: 0, to: 300 }, 20)).toBe(false);
  expect(c.covers({ from: 0, to: 150 }, 20)).toBe(true);
});
