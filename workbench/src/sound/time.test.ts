import { expect, test } from 'vitest';
import { clock, parseCitation, parseClock, rate, shortClock, wallClock, wholeClock } from './time';

test('a position is written as the Go side writes it', () => {
  expect(clock(0)).toBe('00:00:00.0');
  expect(clock(1896 * rate)).toBe('00:31:36.0');
  expect(clock(1896 * rate + 9600)).toBe('00:31:36.6');
  expect(clock(1)).toBe('00:00:00.0');
  expect(clock(8)).toBe('00:00:00.001');
  expect(clock(rate * 3600 * 27 + 4000)).toBe('27:00:00.25');
});

test('a shown position never runs ahead of the sound', () => {
  expect(shortClock(rate - 1)).toBe('00:00:00.9');
  expect(wholeClock(rate * 60 - 1)).toBe('00:00:59');
});

test('a position is read back', () => {
  expect(parseClock('00:31:36.6')).toBe(1896 * rate + 9600);
  expect(parseClock('31:36')).toBe(1896 * rate);
  expect(parseClock('00:61:00')).toBeNull();
  expect(parseClock('later')).toBeNull();
});

test('a wall clock keeps the offset of the recording', () => {
  expect(wallClock('2022-02-27T14:41:07.25+02:00')).toEqual({ date: '2022-02-27', time: '14:41:07.2', offset: 'UTC+2' });
  expect(wallClock('2022-02-27T14:41:07Z')).toEqual({ date: '2022-02-27', time: '14:41:07', offset: 'UTC' });
  expect(wallClock('')).toBeNull();
});

test('a citation is read', () => {
  expect(parseCitation('REC-0014@00:31:36.0-00:31:41.6')).toEqual({ recording: 'REC-0014', span: { from: 1896 * rate, to: 1901.6 * rate } });
  expect(parseCitation(' REC-0014 ')).toEqual({ recording: 'REC-0014', span: null });
  expect(parseCitation('REC-0014@00:31:36')?.span).toEqual({ from: 1896 * rate, to: 1896 * rate });
  expect(parseCitation('REC-14')).toBeNull();
  expect(parseCitation('REC-0014@later')).toBeNull();
});
