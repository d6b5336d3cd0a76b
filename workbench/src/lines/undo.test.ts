import { expect, test } from 'vitest';
import type { Change } from './change';
import { UndoStack } from './undo';

const change = (after: string): Change => ({ kind: 'text', span: { from: 0, to: 1 }, before: '', after, language: 'ru' });

test('what was done last is undone first, and can be done again', () => {
  const u = new UndoStack();
  u.push('REC-0001', change('a'));
  u.push('REC-0001', change('b'));
  const made: Change[] = [];
  const make = (c: Change) => made.push(c) > 0;
  expect(u.undo('REC-0001', make)).toEqual(change('b'));
  expect(made[0]).toMatchObject({ before: 'b', after: '' });
  expect(u.redo('REC-0001', make)).toEqual(change('b'));
  expect(made[1]).toEqual(change('b'));
  expect(u.canRedo.value).toBe(false);
});

test('only changes of the recording in view are undone', () => {
  const u = new UndoStack();
  u.push('REC-0002', change('x'));
  expect(u.undo('REC-0001', () => true)).toBeNull();
  expect(u.canUndo.value).toBe(true);
});

test('what cannot be undone any more is passed over', () => {
  const u = new UndoStack();
  u.push('REC-0001', change('a'));
  u.push('REC-0001', change('b'));
  u.undo('REC-0001', () => false);
  expect(u.undo('REC-0001', () => true)).toEqual(change('a'));
  expect(u.canRedo.value).toBe(true);
});
