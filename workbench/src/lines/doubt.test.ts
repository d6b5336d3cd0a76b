import { expect, test } from 'vitest';
import type { WordView } from '../api/types';
import { wordsIn } from './doubt';

test('words are found in their text, with what stands between them', () => {
  const words: WordView[] = [['Ясень,', 0, 1, 3000, 0], ['я', 1, 2, 9000, 0], ['Кедр', 2, 3, 9900, 0]];
  const parts = wordsIn('Ясень, я Кедр.', words);
  expect(parts.map((p) => p.text).join('')).toBe('Ясень, я Кедр.');
  expect(parts.filter((p) => p.word).map((p) => p.text)).toEqual(['Ясень,', 'я', 'Кедр']);
});

test('a word that is not in the text is left out, and the rest is found', () => {
  const parts = wordsIn('a c', [['a', 0, 1, 1, 0], ['b', 1, 2, 1, 0], ['c', 2, 3, 1, 0]]);
  expect(parts.filter((p) => p.word).map((p) => p.text)).toEqual(['a', 'c']);
});
