import { expect, test } from 'vitest';
import { sampleLine } from '../lines/sample';
import { lanesOf } from './lanes';

const said = (i: number, callSign?: string) => sampleLine(i * 10, i * 10 + 5, callSign ? { from: { call_sign: callSign, basis: 'guessed' } } : {});

test('without call signs, lanes are states', () => {
  expect(lanesOf([said(1), sampleLine(50, 60, { state: 'failed' })]).map((l) => [l.kind, l.name])).toEqual([['state', 'draft'], ['state', 'failed']]);
});

test('who speaks most comes first, who is not known last', () => {
  const lanes = lanesOf([said(1, 'А'), said(2, 'Б'), said(3, 'Б'), said(4)]);
  expect(lanes.map((l) => [l.kind, l.name, l.lines.length])).toEqual([['station', 'Б', 2], ['station', 'А', 1], ['unknown', '', 1]]);
});

test('there are never more than eight', () => {
  const lanes = lanesOf([said(0), ...Array.from({ length: 20 }, (_, i) => said(i + 1, `К${i}`))]);
  expect(lanes.length).toBe(8);
  expect(lanes.reduce((n, l) => n + l.lines.length, 0)).toBe(21);
});
