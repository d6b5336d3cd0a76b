import { expect, test } from 'vitest';
import { heightOf, levelFor, tilesIn, tileSamples } from './tile';

test('columns are no wider than a pixel', () => {
  const v = { from: 0, width: 1000, perPixel: 128 };
  expect(levelFor(v, 10)).toBe(0);
  expect(levelFor({ ...v, perPixel: 255 }, 10)).toBe(0);
  expect(levelFor({ ...v, perPixel: 256 }, 10)).toBe(1);
  expect(levelFor({ ...v, perPixel: 16 }, 10)).toBe(0);
  expect(levelFor({ ...v, perPixel: 1e9 }, 10)).toBe(9);
});

test('only tiles that exist are asked for', () => {
  const size = tileSamples(0);
  expect(tilesIn({ from: 0, to: size }, 0, 10 * size)).toEqual([0]);
  expect(tilesIn({ from: size - 1, to: size + 1 }, 0, 10 * size)).toEqual([0, 1]);
  expect(tilesIn({ from: -5, to: 100 * size }, 0, 1.5 * size)).toEqual([0, 1]);
  expect(tilesIn({ from: 0, to: 10 }, 0, 0)).toEqual([]);
});

test('voice has three quarters of the height', () => {
  expect(heightOf(3000)).toBeCloseTo(0.75, 1);
  expect(heightOf(8000)).toBeGreaterThan(0.99);
  expect(heightOf(0)).toBeLessThan(0.01);
});
