import { signal } from '@preact/signals';
import { eventsURL } from './client';
import type { Event } from './types';

/** Whether the server is being heard. */
export const connected = signal(false);

type Listener = (e: Event) => void;
const listeners = new Set<Listener>();

/** Hears every event from now on; `again`, which no server sends, says that some may have been missed. Returns how to stop. */
export function onEvent(f: Listener): () => void {
  listeners.add(f);
  return () => listeners.delete(f);
}

const firstWait = 1000;
const longestWait = 30_000;

/** Keeps the stream of events open until told to end. */
export function openEvents(open: (url: string) => EventSource = (url) => new EventSource(url)): () => void {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let wait = firstWait;
  let before = false;
  const tell = (e: Event) => listeners.forEach((f) => f(e));

  const begin = () => {
    const s = open(eventsURL);
    source = s;
    s.onopen = () => {
      connected.value = true;
      wait = firstWait;
      if (before) tell({ kind: 'again' });
      before = true;
    };
    s.onmessage = (m: MessageEvent<string>) => tell(JSON.parse(m.data) as Event);
    // The browser's own tries to reconnect end for good at the first refusal, and are not spaced: ours replace them.
    s.onerror = () => {
      connected.value = false;
      s.close();
      clearTimeout(timer);
      timer = setTimeout(begin, wait);
      wait = Math.min(wait * 2, longestWait);
    };
  };
  begin();
  return () => {
    clearTimeout(timer);
    source?.close();
    connected.value = false;
  };
}
