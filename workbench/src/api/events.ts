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

const tell = (e: Event) => listeners.forEach((f) => f(e));

const firstWait = 1000;
const longestWait = 30_000;

/** Keeps the stream of events open until told to end. */
export function openEvents(open: (url: string) => EventSource = (url) => new EventSource(url)): () => void {
  if (typeof BroadcastChannel === 'undefined' || !navigator.locks) {
    const end = openStream(open, tell, (on) => (connected.value = on));
    return () => {
      end();
      connected.value = false;
    };
  }
  return shareStream(open);
}

type Shared = { event: Event } | { connected: boolean } | { hello: true };

// A browser opens six connections to a server and no more, over all of its tabs: one of them hears the events for all.
function shareStream(open: (url: string) => EventSource): () => void {
  const channel = new BroadcastChannel('earwitness.events');
  const ended = new AbortController();
  let hearing = false;
  const say = (m: Shared) => channel.postMessage(m);
  channel.onmessage = ({ data }: MessageEvent<Shared>) => {
    if ('event' in data) tell(data.event);
    else if ('connected' in data) connected.value = data.connected;
    else if (hearing) say({ connected: connected.value });
  };
  say({ hello: true });
  navigator.locks.request('earwitness.events', { signal: ended.signal }, () => new Promise<void>((resolve) => {
    hearing = true;
    tell({ kind: 'again' }); // between the tab that heard before and this one, some may have been missed
    const end = openStream(open, (e) => {
      tell(e);
      say({ event: e });
    }, (on) => {
      connected.value = on;
      say({ connected: on });
    });
    ended.signal.addEventListener('abort', () => {
      end();
      resolve();
    });
  })).catch(() => undefined); // it was ended while another tab heard the events
  return () => {
    ended.abort();
    channel.close();
    connected.value = false;
  };
}

function openStream(open: (url: string) => EventSource, heard: Listener, reached: (on: boolean) => void): () => void {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let wait = firstWait;
  let before = false;

  const begin = () => {
    const s = open(eventsURL);
    source = s;
    s.onopen = () => {
      reached(true);
      wait = firstWait;
      if (before) heard({ kind: 'again' });
      before = true;
    };
    s.onmessage = (m: MessageEvent<string>) => heard(JSON.parse(m.data) as Event);
    // The browser's own tries to reconnect end for good at the first refusal, and are not spaced: ours replace them.
    s.onerror = () => {
      reached(false);
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
  };
}
