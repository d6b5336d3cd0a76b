import { expect, test } from 'vitest';
import { en } from './en';
import { counter } from './plural';
import { ru } from './ru';
import { uk } from './uk';

test('Ukrainian and Russian count by their own rules', () => {
  expect([1, 2, 5, 11, 21, 22, 1.5].map((n) => uk.count.lines(n))).toEqual(['1 рядок', '2 рядки', '5 рядків', '11 рядків', '21 рядок', '22 рядки', '1,5 рядка']);
  expect([1, 3, 12, 101].map((n) => ru.count.recordings(n))).toEqual(['1 запись', '3 записи', '12 записей', '101 запись']);
  expect(counter('en')(2, { one: 'line', other: 'lines' })).toBe('2 lines');
});

test('every language names the same states and values as English', () => {
  const records = (m: typeof en) => [m.recordings.states, m.line.states, m.line.translationStates, m.line.sounds, m.line.bases, m.search.facet, m.jobs.stages, m.jobs.states].map((r) => Object.keys(r).sort());
  expect(records(uk)).toEqual(records(en));
  expect(records(ru)).toEqual(records(en));
});

test('positions are spoken', () => {
  expect(en.player.at(0, 31, 36)).toBe('31 minutes 36 seconds');
  expect(uk.player.at(1, 0, 2)).toBe('1 година 0 хвилин 2 секунди');
});
