import { expect, test, vi } from 'vitest';
import { ApiError, OfflineError } from '../api/problem';
import type { Edit, EditDone } from '../api/types';
import type { Change } from './change';
import { Outbox, type OutboxDeps, type Pending } from './outbox';
import { sampleLine } from './sample';

const line = sampleLine(0, 100);
const change: Change = { kind: 'text', span: line.span, before: '', after: 'раз', language: 'ru' };
const text = (id: string, words: string, replaces = 0, span = line.span): Edit => ({ id, utterance: { span, text: words, language: 'ru', replaces } });

function setup(send: OutboxDeps['send'], kept: Pending[] = []) {
  const disk = new Map(kept.map((p) => [p.key, p]));
  const done = vi.fn();
  const refused = vi.fn();
  let clock = 0;
  let ids = 0;
  const outbox = new Outbox({
    store: {
      put: (p) => Promise.resolve(void disk.set(p.key, p)),
      remove: (key) => Promise.resolve(void disk.delete(key)),
      all: () => Promise.resolve([...disk.values()]),
    },
    tab: 'this', living: () => Promise.resolve(new Set(['this', 'other'])), now: () => clock++, newID: () => `new${ids++}`, send, wait: () => Promise.resolve(), done, refused,
  });
  return { outbox, disk, done, refused };
}

const answer = (entry: number): EditDone => ({ entry, again: false, lines: [{ ...line, author: 'MK', entry, basis: entry }], around: line.span });
const idle = () => new Promise((resolve) => setTimeout(resolve, 5));

test('what is sent while the server is away is sent again with the same id, in order', async () => {
  const tries: string[] = [];
  let fail = 2;
  const { outbox, disk, done } = setup((_, e) => {
    tries.push(e.id);
    return fail-- > 0 ? Promise.reject(new OfflineError()) : Promise.resolve(answer(tries.length));
  });
  await outbox.add('REC-0001', text('a', 'раз'), change);
  await outbox.add('REC-0001', text('b', 'два', 0, { from: 500, to: 600 }), change);
  await idle();
  expect(tries).toEqual(['a', 'a', 'a', 'b']);
  expect(done).toHaveBeenCalledTimes(2);
  expect(disk.size).toBe(0);
  expect(outbox.offline.value).toBe(false);
});

test('an edit made before the one below it arrived replaces what that became', async () => {
  const sent: Edit[] = [];
  let release: (d: EditDone) => void = () => undefined;
  const { outbox } = setup((_, e) => {
    sent.push(e);
    return sent.length === 1 ? new Promise((resolve) => (release = resolve)) : Promise.resolve(answer(31));
  });
  await outbox.add('REC-0001', text('a', 'раз'), change);
  await outbox.add('REC-0001', text('b', 'раз два'), change);
  release(answer(30));
  await idle();
  expect(sent[1]?.utterance?.replaces).toBe(30);
});

test('a conflict waits for a decision, and holds up only edits of the same seconds', async () => {
  const sent: string[] = [];
  const { outbox, disk } = setup((_, e) => {
    sent.push(e.id);
    return e.id === 'a' ? Promise.reject(new ApiError(409, { kind: 'conflict', message: 'changed', hint: '', line })) : Promise.resolve(answer(1));
  });
  await outbox.add('REC-0001', text('a', 'раз'), change);
  await outbox.add('REC-0001', text('b', 'раз два'), change);
  await outbox.add('REC-0001', text('c', 'три', 0, { from: 500, to: 600 }), change);
  await idle();
  expect(sent).toEqual(['a', 'c']);
  const [held] = outbox.conflicts.value;
  expect(held?.conflict?.theirs).toEqual(line);
  expect(disk.size).toBe(2);
  if (held) await outbox.settle(held, text('', 'сведено', 9), change);
  await idle();
  expect(sent).toEqual(['a', 'c', 'new0', 'b']);
  expect(disk.size).toBe(0);
});

test('what the server refuses is given back', async () => {
  const { outbox, refused, disk } = setup(() => Promise.reject(new ApiError(400, { kind: 'invalid', message: 'no', hint: '' })));
  await outbox.add('REC-0001', text('a', 'раз'), change);
  await idle();
  expect(refused).toHaveBeenCalledOnce();
  expect(outbox.pending.value).toEqual([]);
  expect(disk.size).toBe(0);
});

test('what a page left behind is taken up, but not what another page is sending', async () => {
  const left = (key: string, tab: string): Pending => ({ key, recording: 'REC-0001', edit: text(key, 'x'), change, tab, conflict: null });
  const sent: string[] = [];
  const { outbox } = setup((_, e) => {
    sent.push(e.id);
    return Promise.resolve(answer(1));
  }, [left('1', 'gone'), left('2', 'other')]);
  await outbox.begin();
  await idle();
  expect(sent).toEqual(['1']);
});

test('a browser that keeps nothing says so until the server has it', async () => {
  let release: (d: EditDone) => void = () => undefined;
  const { outbox } = setup(() => new Promise((resolve) => (release = resolve)));
  // @ts-expect-error the disk of this test is broken
  outbox.deps.store.put = () => Promise.reject(new Error('disk full'));
  await outbox.add('REC-0001', text('a', 'раз'), change);
  expect(outbox.safe.value).toBe(false);
  release(answer(1));
  await idle();
  expect(outbox.safe.value).toBe(true);
});
