import { expect, test } from 'vitest';
import { divide, inaudiblePiece, insertPiece, offerRival } from './typing';

test('a piece keeps its distance from words', () => {
  expect(insertPiece('один два', 4, 4, '[x]').text).toBe('один [x] два');
  expect(insertPiece('один два', 5, 8, '[x]')).toEqual({ text: 'один [x]', from: 8, to: 8 });
  expect(insertPiece('один.', 4, 4, '[x]').text).toBe('один [x].');
  expect(insertPiece('', 0, 0, '[x]').text).toBe('[x]');
});

test('a length is tenths of a second, and never none', () => {
  expect(inaudiblePiece(1.234)).toBe('[inaudible 1.2 s]');
  expect(inaudiblePiece(0)).toBe('[inaudible 0.1 s]');
});

test('another hearing of the word at the caret', () => {
  expect(offerRival('на мост едем', 5, 5)).toEqual({ text: 'на [мост / ] едем', from: 11, to: 11 });
  expect(offerRival('на мост едем', 3, 12).text).toBe('на [мост едем / ]');
  expect(offerRival('на  едем', 3, 3)).toEqual({ text: 'на [ / ] едем', from: 4, to: 4 });
});

test('a text is divided between words', () => {
  expect(divide('один два три', 4)).toEqual(['один', 'два три']);
  expect(divide('один два три', 6)).toEqual(['один', 'два три']);
  expect(divide('один два три', 8)).toEqual(['один два', 'три']);
  expect(divide('один', 2)).toEqual(['', 'один']);
  expect(divide('один', 4)).toEqual(['один', '']);
});
