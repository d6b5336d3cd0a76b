import { render } from 'preact';
import { expect, test } from 'vitest';
import { Said } from './said';
import { initials, StateMark } from './state';

function shown(v: preact.ComponentChild): HTMLElement {
  const root = document.createElement('div');
  render(v, root);
  return root;
}

test('text is isolated, has its language, and hides nothing', () => {
  const root = shown(<Said text={'да\u202eнет <b>'} lang="ru" />);
  const said = root.querySelector('.said');
  expect(said?.getAttribute('lang')).toBe('ru');
  expect(said?.getAttribute('dir')).toBe('auto');
  expect(root.querySelector('.chip')?.textContent).toBe('U+202E');
  expect(root.querySelector('b')).toBeNull();
});

test('doubt is marked only where it is asked for', () => {
  const words: [string, number, number, number, number][] = [['да', 0, 1, 2000, 0], ['нет', 1, 2, 9000, 0]];
  expect(shown(<Said text="да нет" lang="ru" />).querySelector('.word-doubt')).toBeNull();
  expect(shown(<Said text="да нет" lang="ru" words={words} below={5000} />).querySelector('.word-doubt')?.textContent).toBe('да');
});

test('matches are marked by characters, not by units of UTF-16', () => {
  expect(shown(<Said text="😀 мост" lang="ru" marks={[{ from: 2, to: 6 }]} />).querySelector('mark')?.textContent).toBe('мост');
});

test('a state is a shape and a word', () => {
  const root = shown(<StateMark state="verified" word="verified" people="MK OV" />);
  expect(root.querySelector('svg')).not.toBeNull();
  expect(root.textContent?.trim()).toBe('verified MK OV');
  expect(initials('Maria Koval')).toBe('MK');
  expect(initials('root')).toBe('roo');
});
