import { expect, test } from 'vitest';
import { sampleLine } from '../lines/sample';
import { find, join, moveEdge, splitAt } from './cuts';

const words: [string, number, number, number, number][] = [['один', 0, 4000, 9000, 0], ['два', 4000, 8000, 9000, 0], ['три', 12000, 16000, 9000, 0]];
const machine = sampleLine(0, 16000, { text: 'один два три', words });
const person = { ...machine, author: 'MK', text: 'раз, два, три' };
const next = sampleLine(20000, 30000, { text: 'да' });

test('people\'s words go where the machine heard them', () => {
  expect(splitAt(person, 10000)?.after.map((s) => s.text)).toEqual(['раз, два,', 'три']);
  expect(splitAt(person, 10000, person.text, 4)?.after.map((s) => s.text)).toEqual(['раз,', 'два, три']);
});

test('the machine\'s words are not made a person\'s by a cut', () => {
  expect(splitAt(machine, 10000)?.after.map((s) => s.text)).toEqual(['', '']);
  expect(join(machine, next).after[0]?.text).toBe('');
  expect(join(person, next).after[0]?.text).toBe('раз, два, три да');
});

test('an edge stays between its neighbours', () => {
  expect(moveEdge([machine, next], machine, 'to', 99999, 50000)?.after[0]?.span).toEqual({ from: 0, to: 20000 });
  expect(moveEdge([machine, next], next, 'from', 0, 50000)?.after[0]?.span).toEqual({ from: 16000, to: 30000 });
  expect(moveEdge([machine, next], next, 'to', 99999, 50000)?.after[0]?.span).toEqual({ from: 20000, to: 50000 });
  expect(moveEdge([machine, next], next, 'to', 30000, 50000)).toBeNull();
  expect(moveEdge([machine, next], machine, 'from', 99999, 50000)?.after[0]?.span.from).toBe(15200);
});

test('nothing is cut to nothing', () => {
  expect(splitAt(machine, 100)).toBeNull();
  expect(splitAt(machine, 15900)).toBeNull();
  expect(find({ from: 0, to: 10 }, 'ru')).toBeNull();
});
