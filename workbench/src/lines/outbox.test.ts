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
    tab: 'this', person: 'MK', living: () => Promise.resolve(new Set(['this', 'other'])), now: () => clock++, newID: () => `new${ids++}`, send, wait: () => Promise.resolve(), done, refused,
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

test('a translation done again replaces the own entry that took it back', async () => {
  const sent: Edit[] = [];
  const bare = { ...line, author: '', entry: 103, basis: 7 };
  const { outbox } = setup((_, e) => {
    sent.push(e);
    const entry = 102 + sent.length * 2;
    const now = e.utterance ? { ...line, author: 'MK', entry, basis: entry } : bare;
    return Promise.resolve({ entry, again: false, around: line.span, lines: [{ ...now, translation: { text: '', language: 'en', state: 'not translated', reason: '', author: '', entry: 102, model: '' } }] });
  });
  const tr = (id: string, words: string, replaces: number): Edit => ({ id, translation: { span: line.span, text: words, language: 'en', of: 7, replaces } });
  await outbox.add('REC-0001', text('redo text', 'раз', 103), change);
  await outbox.add('REC-0001', tr('redo translation', 'one', 102), { ...change, kind: 'translation' });
  await idle();
  expect(sent.map((e) => e.utterance?.replaces ?? e.translation?.replaces)).toEqual([103, 102]);
  expect(sent[1]?.translation?.of).toBe(104);
});

test('an edit made of lines that were old already goes on top of own edits, of every kind', async () => {
  const edits: ((id: string, replaces: number) => Edit)[] = [
    (id, replaces) => text(id, id, replaces),
    (id, replaces) => ({ id, translation: { span: line.span, text: id, language: 'en', of: 7, replaces } }),
    (id, replaces) => ({ id, stations: { span: line.span, from: { call_sign: id, basis: 'guessed' }, replaces } }),
    (id, replaces) => ({ id, mark: { span: line.span, mark: 'distress', note: id, off: false, replaces } }),
  ];
  for (const make of edits) {
    const sent: number[] = [];
    const { outbox } = setup((_, e) => {
      sent.push((e.utterance ?? e.translation ?? e.stations ?? e.mark)?.replaces ?? -1);
      return Promise.resolve(answer(29 + sent.length));
    });
    for (const id of ['a', 'b', 'c']) {
      await outbox.add('REC-0001', make(id, 0), change);
      await idle(); // it has arrived: the next one is not told by it
    }
    expect(sent).toEqual([0, 30, 31]);
  }
});

test('what somebody else wrote in between is not passed over', async () => {
  const sent: number[] = [];
  const { outbox } = setup((_, e) => {
    sent.push(e.utterance?.replaces ?? -1);
    return e.stations ? Promise.resolve(answer(40)) : Promise.reject(new ApiError(409, { kind: 'conflict', message: 'changed', hint: '', line: { ...line, author: 'OV', text: 'не то', entry: 39 } }));
  });
  await outbox.add('REC-0001', { id: 's', stations: { span: line.span, replaces: 0 } }, change);
  await outbox.add('REC-0001', text('t', 'раз', 12), change);
  await idle();
  expect(sent).toEqual([-1, 12]);
  expect(outbox.conflicts.value.length).toBe(1);
});

test('the same words from another window of the same person are no conflict; other words are', async () => {
  const theirs = { ...line, author: 'MK', text: 'раз', entry: 50 };
  const { outbox, disk } = setup(() => Promise.reject(new ApiError(409, { kind: 'conflict', message: 'changed', hint: '', line: theirs })));
  await outbox.add('REC-0001', text('a', 'раз'), change);
  await idle();
  expect(outbox.pending.value).toEqual([]);
  expect(disk.size).toBe(0);
  await outbox.add('REC-0001', text('b', 'два'), change);
  await idle();
  expect(outbox.conflicts.value.length).toBe(1);
});

test('an own entry that stands in the way is replaced, without asking', async () => {
  const sent: number[] = [];
  const { outbox } = setup((_, e) => {
    sent.push(e.utterance?.replaces ?? -1);
    if (sent.length === 2) return Promise.reject(new ApiError(409, { kind: 'conflict', message: 'changed', hint: '', line: { ...line, author: 'MK', text: 'раз', entry: 30 } }));
    return Promise.resolve(answer(29 + sent.length));
  });
  await outbox.add('REC-0001', text('a', 'раз', 5), change);
  await idle();
  await outbox.add('REC-0001', text('b', 'два', 2), change); // a draft begun two entries ago
  await idle();
  expect(sent).toEqual([5, 2, 30]);
  expect(outbox.conflicts.value).toEqual([]);
});
