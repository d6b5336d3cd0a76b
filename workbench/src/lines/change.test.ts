import { expect, test } from 'vitest';
import { editOf, inverse, rebase, type Change } from './change';
import { overlay } from './overlay';
import { sampleLine } from './sample';

const a = sampleLine(0, 100, { text: 'один два', machine: 'один два', words: [['один', 0, 50, 9000, 0], ['два', 50, 100, 9000, 0]] });
const b = sampleLine(200, 300, { text: 'три', author: 'MK', entry: 12, state: 'corrected' });

test('an edit names what it replaces', () => {
  expect(editOf('x', { kind: 'text', span: b.span, before: 'три', after: 'тры', language: 'ru' }, [a, b])?.utterance?.replaces).toBe(12);
  expect(editOf('x', { kind: 'text', span: a.span, before: '', after: 'раз', language: 'ru' }, [a, b])?.utterance?.replaces).toBe(0);
});

test('what has changed since is not changed back', () => {
  expect(editOf('x', { kind: 'text', span: b.span, before: 'другое', after: '', language: 'ru' }, [a, b])).toBeNull();
  expect(editOf('x', { kind: 'text', span: { from: 1, to: 2 }, before: '', after: 'x', language: 'ru' }, [a, b])).toBeNull();
});

test('every change, turned round, brings the lines back to what people see', () => {
  const changes: Change[] = [
    { kind: 'text', span: a.span, before: '', after: 'раз', language: 'ru' },
    { kind: 'stations', span: a.span, before: {}, after: { from: { call_sign: 'Ясень', basis: 'guessed' } } },
    { kind: 'mark', span: a.span, mark: 'distress', note: '', on: true },
    { kind: 'cut', before: [{ span: a.span, text: '' }], after: [{ span: { from: 0, to: 50 }, text: '' }, { span: { from: 50, to: 100 }, text: '' }], language: 'ru' },
  ];
  for (const c of changes) {
    const there = editOf('x', c, [a, b]);
    expect(there).not.toBeNull();
    const after = overlay([a, b], there ?? { id: '' }, 'OV');
    expect(after).not.toEqual([a, b]);
    const back = editOf('y', inverse(c), after);
    expect(back).not.toBeNull();
    const again = overlay(after, back ?? { id: '' }, 'OV');
    expect(again.map((l) => [l.span, l.text, l.author, l.from, l.marks])).toEqual([a, b].map((l) => [l.span, l.text, l.author, l.from, l.marks]));
  }
});

test('a split divides the machine words by their times', () => {
  const e = editOf('x', { kind: 'cut', before: [{ span: a.span, text: '' }], after: [{ span: { from: 0, to: 50 }, text: '' }, { span: { from: 50, to: 100 }, text: '' }], language: 'ru' }, [a]);
  expect(overlay([a], e ?? { id: '' }, 'OV').map((l) => l.text)).toEqual(['один', 'два']);
});

test('an edit is put on top of what came meanwhile', () => {
  const now = [{ ...b, entry: 40, basis: 40 }];
  expect(rebase({ id: 'x', utterance: { span: b.span, text: 'q', language: '', replaces: 12 } }, now).utterance?.replaces).toBe(40);
  expect(rebase({ id: 'x', translation: { span: b.span, text: 'q', language: 'en', of: 12, replaces: 3 } }, now).translation).toMatchObject({ of: 40, replaces: 0 });
});
