import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { connected, onEvent, openEvents } from './events';
import type { Event } from './types';

class FakeSource {
  static all: FakeSource[] = [];
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  onmessage: ((m: { data: string }) => void) | null = null;
  close = vi.fn();
  constructor() {
    FakeSource.all.push(this);
  }
}

beforeEach(() => {
  FakeSource.all = [];
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

test('a broken stream is opened again, and says that something may have been missed', () => {
  const heard: Event[] = [];
  const silence = onEvent((e) => heard.push(e));
  const end = openEvents(() => new FakeSource() as unknown as EventSource);
  FakeSource.all[0]?.onopen?.();
  expect(connected.value).toBe(true);
  FakeSource.all[0]?.onmessage?.({ data: '{"kind":"jobs"}' });
  FakeSource.all[0]?.onerror?.();
  expect(connected.value).toBe(false);
  expect(FakeSource.all.length).toBe(1);
  vi.advanceTimersByTime(1000);
  FakeSource.all[1]?.onerror?.();
  vi.advanceTimersByTime(1000);
  expect(FakeSource.all.length).toBe(2); // each wait is twice the last
  vi.advanceTimersByTime(1000);
  FakeSource.all[2]?.onopen?.();
  expect(heard).toEqual([{ kind: 'jobs' }, { kind: 'again' }]);
  end();
  silence();
  expect(FakeSource.all[2]?.close).toHaveBeenCalled();
});

// A browser's locks: the second who asks waits until the first lets go.
function fakeLocks() {
  let last: Promise<unknown> = Promise.resolve();
  return { request: (_name: string, _options: unknown, f: () => Promise<void>) => (last = last.then(f)) };
}

class FakeChannel {
  static all: FakeChannel[] = [];
  onmessage: ((m: { data: unknown }) => void) | null = null;
  constructor() {
    FakeChannel.all.push(this);
  }
  postMessage(data: unknown) {
    for (const c of FakeChannel.all) if (c !== this) c.onmessage?.({ data });
  }
  close() {
    FakeChannel.all.splice(FakeChannel.all.indexOf(this), 1);
  }
}

test('of several tabs one hears the server, and the next when that one closes', async () => {
  vi.useRealTimers();
  vi.stubGlobal('BroadcastChannel', FakeChannel);
  vi.stubGlobal('navigator', { locks: fakeLocks() });
  const heard: string[] = [];
  const silence = onEvent((e) => heard.push(e.kind));
  const first = openEvents(() => new FakeSource() as unknown as EventSource);
  const second = openEvents(() => new FakeSource() as unknown as EventSource);
  await Promise.resolve();
  await new Promise((resolve) => setTimeout(resolve));
  expect(FakeSource.all.length).toBe(1);
  FakeSource.all[0]?.onmessage?.({ data: '{"kind":"jobs"}' });
  expect(heard).toEqual(['again', 'jobs', 'jobs']); // this page stands for both tabs
  first();
  await new Promise((resolve) => setTimeout(resolve));
  expect(FakeSource.all.length).toBe(2);
  second();
  silence();
  vi.unstubAllGlobals();
});
