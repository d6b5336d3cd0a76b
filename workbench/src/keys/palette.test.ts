import { expect, test } from 'vitest';
import { fits } from './palette';

test('commands are found by the beginnings of their words', () => {
  expect(fits('Next line in doubt', 'dou nex')).toBe(true);
  expect(fits('Наступний сумнівний рядок', 'СУМ')).toBe(true);
  expect(fits('Next line', 'ext')).toBe(false);
  expect(fits('Next line', '')).toBe(true);
});
