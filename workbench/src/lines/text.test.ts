import { expect, test } from 'vitest';
import { isHidden, parseWording, plain, reveal } from './text';

test('what is hidden is written out', () => {
  expect(reveal('а\u202eб')).toEqual([{ kind: 'words', text: 'а' }, { kind: 'hidden', code: 'U+202E' }, { kind: 'words', text: 'б' }]);
  expect(['\u200b', '\ufeff', '\u00ad', '\u0000', '\u2066', '\u2028', '\u0085', '\u{e0041}'].every(isHidden)).toBe(true);
  expect(['\u200d', '\u200c', '\n', 'ґ', '\u0301', '👩'].some(isHidden)).toBe(false);
  expect(plain('a\u200bb')).toBe('a[U+200B]b');
});

test('inaudible stretches and rival hearings are objects', () => {
  expect(parseWording('На [мост / пост] едем [inaudible 1.2 s]')).toEqual([
    { kind: 'words', text: 'На ' },
    { kind: 'rivals', hearings: ['мост', 'пост'] },
    { kind: 'words', text: ' едем ' },
    { kind: 'inaudible', seconds: '1.2' },
  ]);
});

test('brackets that are neither are words', () => {
  for (const s of ['[мост]', '[мост/пост]', '[inaudible]', '[ / пост]', 'a [b', '']) {
    expect(parseWording(s).every((p) => p.kind === 'words')).toBe(true);
  }
});
