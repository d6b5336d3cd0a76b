import { expect, test } from 'vitest';
import { colourTable, floorOf } from './colours';

const luminance = (c: number) => 0.2126 * (c & 255) + 0.7152 * ((c >> 8) & 255) + 0.0722 * ((c >> 16) & 255);

test('louder is never nearer to the paper', () => {
  for (const [theme, sign] of [['light', -1], ['dark', 1]] as const) {
    for (const gain of [0.5, 1, 4]) {
      const t = colourTable(theme, gain);
      for (let b = 1; b < 256; b++) expect(sign * (luminance(t[b] ?? 0) - luminance(t[b - 1] ?? 0))).toBeGreaterThanOrEqual(-0.3); // colours are whole numbers
    }
  }
});

test('noise is the floor, silence is none', () => {
  expect(floorOf(new Uint8Array([0, 0, 0, 80, 80, 80, 80, 80, 200]))).toBe(80);
  expect(floorOf(new Uint8Array(10))).toBe(60);
});
