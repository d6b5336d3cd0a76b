import { expect, test } from 'vitest';
import { bars } from './hours';
import { has, pieces, setTimes, timesOf, toggle } from './query';

test('a query is cut where the server cuts it', () => {
  expect(pieces('топливо "вас понял" rec:"net 2" -lang:ru -"a b" Мотижин~')).toEqual(['топливо', '"вас понял"', 'rec:"net 2"', '-lang:ru', '-"a b"', 'Мотижин~']);
});

test('a facet is put in and taken out', () => {
  expect(toggle('мост', 'lang:uk')).toBe('мост lang:uk');
  expect(toggle('мост lang:uk', 'lang:uk')).toBe('мост');
  expect(has('мост -lang:uk', 'lang:uk')).toBe(false);
});

test('the brush writes times, and leaves stations alone', () => {
  expect(setTimes('мост from:2022-02-27 from:Ясень', '2022-02-27T14:00', '2022-02-27T15:00')).toBe('мост from:Ясень from:2022-02-27T14:00 to:2022-02-27T15:00');
  expect(setTimes('мост from:2022-02-27', '', '')).toBe('мост');
  expect(timesOf('from:Ясень to:2022-02-27')).toEqual({ from: '', to: '2022-02-27' });
});

test('hours without lines are bars of none', () => {
  const b = bars([{ hour: '2022-02-27T14', count: 3 }, { hour: '2022-02-27T16', count: 1 }]);
  expect(b.map((x) => [x.from, x.to, x.count])).toEqual([
    ['2022-02-27T14:00', '2022-02-27T15:00', 3], ['2022-02-27T15:00', '2022-02-27T16:00', 0], ['2022-02-27T16:00', '2022-02-27T17:00', 1],
  ]);
});

test('months are bars of days', () => {
  const b = bars([{ hour: '2022-02-01T00', count: 3 }, { hour: '2022-04-01T16', count: 1 }]);
  expect(b.length).toBeLessThanOrEqual(121);
  expect(b.reduce((n, x) => n + x.count, 0)).toBe(4);
});
