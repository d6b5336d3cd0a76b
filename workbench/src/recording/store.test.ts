import { signal } from '@preact/signals';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import * as api from '../api/client';
import type { Event, LinesView, RecordingView } from '../api/types';
import { sampleLine } from '../lines/sample';
import type { Workspace } from '../shell/workspace';
import { RecordingStore } from './store';

const heard = vi.hoisted(() => ({
  event: (_: unknown) => undefined as unknown,
  done: (..._: unknown[]) => undefined as unknown,
}));
vi.mock('../api/client', () => ({ recording: vi.fn(), lines: vi.fn(), linesIn: vi.fn(), presence: vi.fn(() => Promise.resolve()), sessionOver: signal(false) }));
vi.mock('../api/events', () => ({ onEvent: (f: (e: unknown) => void) => { heard.event = f; return () => undefined; } }));
vi.mock('../shell/workspace', () => ({ newID: () => 'id', onDone: (f: (...a: unknown[]) => void) => { heard.done = f; return () => undefined; } }));

const tell = (e: Event) => heard.event(e);
const space = { outbox: { pending: signal([]) }, session: { person: 'MK' } } as unknown as Workspace;
const near = sampleLine(0, 100);
const far = sampleLine(5000, 5100);
const words = (l: typeof near, text: string) => ({ ...l, text, author: 'OV', entry: 20 });
const view = (entries: number, ...lines: LinesView['lines']): LinesView => ({ recording: 'REC-0001', entries, lines });
let store: RecordingStore;

beforeEach(async () => {
  vi.useFakeTimers();
  vi.mocked(api.recording).mockResolvedValue({ recording: 'REC-0001', samples: 10_000, drawn: 10_000 } as RecordingView);
  vi.mocked(api.lines).mockReset().mockResolvedValue(view(10, near, far));
  vi.mocked(api.linesIn).mockReset();
  store = new RecordingStore('REC-0001', space, null);
  await store.load();
});
afterEach(() => {
  store.end();
  vi.useRealTimers();
});

test('only the seconds that somebody wrote in are fetched, and take the place of what was there', async () => {
  vi.mocked(api.linesIn).mockResolvedValue(view(11, words(far, 'далеко')));
  tell({ kind: 'entries', recording: 'REC-0001', entries: 11, span: far.span });
  tell({ kind: 'entries', recording: 'REC-0002', entries: 11, span: far.span });
  await vi.advanceTimersByTimeAsync(1000);
  expect(api.linesIn).toHaveBeenCalledExactlyOnceWith('REC-0001', 'en', far.span);
  expect(api.lines).toHaveBeenCalledTimes(1);
  expect(store.lines.value.map((l) => l.text)).toEqual(['слова', 'далеко']);
});

test('an entry about no seconds is about all of them', async () => {
  tell({ kind: 'entries', recording: 'REC-0001', entries: 11 });
  await vi.advanceTimersByTimeAsync(1000);
  expect(api.lines).toHaveBeenCalledTimes(2);
  expect(api.linesIn).not.toHaveBeenCalled();
});

test('an own edit fetches nothing, whether its event comes before its answer or after', async () => {
  tell({ kind: 'entries', recording: 'REC-0001', entries: 11, span: near.span });
  heard.done('REC-0001', { entry: 10, again: false, around: near.span, lines: [{ ...near, text: 'раз', author: 'MK', entry: 10 }] }, { id: 'a' });
  await vi.advanceTimersByTimeAsync(1000);
  expect(api.linesIn).not.toHaveBeenCalled();
  expect(store.lines.value[0]?.text).toBe('раз');
});

test('lines that were on their way when an own edit arrived do not take it off the screen', async () => {
  let release: (v: LinesView) => void = () => undefined;
  vi.mocked(api.lines).mockReturnValueOnce(new Promise((resolve) => (release = resolve))).mockResolvedValueOnce(view(11, { ...near, text: 'раз', author: 'MK', entry: 10 }, far));
  tell({ kind: 'again' });
  await vi.advanceTimersByTimeAsync(400);
  heard.done('REC-0001', { entry: 10, again: false, around: near.span, lines: [{ ...near, text: 'раз', author: 'MK', entry: 10 }] }, { id: 'a' });
  release(view(10, near, far));
  await vi.advanceTimersByTimeAsync(400);
  expect(store.lines.value[0]).toMatchObject({ text: 'раз', entry: 10 });
});
