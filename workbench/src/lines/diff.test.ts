import { expect, test } from 'vitest';
import { diffWords, sideOf } from './diff';

test('only the words that differ are marked', () => {
  const d = diffWords('едем на мост', 'едем на пост, быстро');
  expect(sideOf(d, 'left')).toEqual([{ text: 'едем на ', differs: false }, { text: 'мост', differs: true }]);
  expect(sideOf(d, 'right').map((p) => p.text).join('')).toBe('едем на пост, быстро');
  expect(sideOf(d, 'right').filter((p) => p.differs).map((p) => p.text)).toEqual(['пост, быстро']);
});

test('each side is its text again', () => {
  for (const [a, b] of [['', 'x y'], ['a b c', 'c b a'], ['одно', 'одно'], ['п’ять', 'шість п’ять']] as const) {
    const d = diffWords(a, b);
    expect(sideOf(d, 'left').map((p) => p.text).join('')).toBe(a);
    expect(sideOf(d, 'right').map((p) => p.text).join('')).toBe(b);
  }
});
