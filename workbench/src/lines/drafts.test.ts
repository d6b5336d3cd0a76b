import { beforeEach, expect, test, vi } from 'vitest';
import { Drafts } from './drafts';
import * as storage from './storage';

vi.mock('./storage');
const disk = vi.mocked(storage);
const span = { from: 0, to: 10 };

beforeEach(() => {
  vi.resetAllMocks();
  disk.put.mockResolvedValue();
  disk.remove.mockResolvedValue();
});

test('every key stroke is kept, and those during a write together', async () => {
  let done: () => void = () => undefined;
  disk.put.mockImplementationOnce(() => new Promise((resolve) => (done = resolve)));
  const d = new Drafts('case');
  d.set('REC-0001', span, 'text', 'п', '', 0);
  d.set('REC-0001', span, 'text', 'пр', '', 0);
  d.set('REC-0001', span, 'text', 'при', '', 0);
  expect(d.safe.value).toBe(false);
  done();
  await d.flush();
  expect(disk.put.mock.calls.map((c) => (c[1] as { key: string; text?: string }).text)).toEqual(['п', 'при']);
  expect(d.safe.value).toBe(true);
});

test('words put back as they were are no draft', async () => {
  const d = new Drafts('case');
  d.set('REC-0001', span, 'text', 'ба', 'б', 7);
  d.set('REC-0001', span, 'text', 'б', 'б', 7);
  await d.flush();
  expect(d.has('REC-0001', span)).toBe(false);
  expect(disk.remove).toHaveBeenCalled();
});

test('a draft remembers what it began from, whatever is written meanwhile', () => {
  const d = new Drafts('case');
  d.set('REC-0001', span, 'text', 'а', 'было', 7);
  d.set('REC-0001', span, 'text', 'аб', 'стало', 9);
  expect(d.get('REC-0001', span, 'text')).toMatchObject({ text: 'аб', began: 'было', entry: 7 });
});

test('a full disk is said, and tried again', async () => {
  disk.put.mockRejectedValueOnce(new Error('full'));
  const d = new Drafts('case');
  d.set('REC-0001', span, 'text', 'а', '', 0);
  await d.flush();
  expect(d.safe.value).toBe(false);
  d.set('REC-0001', span, 'text', 'аб', '', 0);
  await d.flush();
  expect(d.safe.value).toBe(true);
});

test('drafts of an earlier visit are there, of this case only', async () => {
  disk.all.mockResolvedValue([{ key: Drafts.key('case', 'REC-0001', span, 'text'), text: 'а', began: '', entry: 0, at: 1 } as { key: string }]);
  const d = new Drafts('case');
  await d.begin();
  expect(disk.all).toHaveBeenCalledWith('drafts', 'case ');
  expect(d.get('REC-0001', span, 'text')?.text).toBe('а');
});
