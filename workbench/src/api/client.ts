// All requests of the workbench. No other folder knows an address.

import { signal } from '@preact/signals';
import { ApiError, OfflineError, problemOf } from './problem';
import type {
  Admit, CaseView, Edit, EditDone, EntryView, Invitation, JobsView, LinesView, LineView, Login, PersonView, Presence, RecordingView, RunJobs, SearchView, SessionView, Span,
} from './types';

/** True once the server said that this session is over. Only a new link, opened in this browser, begins another. */
export const sessionOver = signal(false);

export const session = () => get<SessionView>('/session');
export const endSession = () => send<void>('POST', '/session/end');
export const login = (l: Login) => send<void>('POST', '/login', l);
export const setPassword = (password: string) => send<void>('POST', '/session/password', { person: '', password } satisfies Login);
export const newLink = () => send<{ link: string }>('POST', '/session/link');
export const people = () => get<PersonView[]>('/people');
export const admit = (a: Admit) => send<Invitation>('POST', '/people', a);
export const invite = (person: string) => send<Invitation>('POST', '/people/link', { id: '', person, role: '', replaces: 0 } satisfies Admit);
export const caseView = () => get<CaseView>('/case');
export const recordings = () => get<RecordingView[]>('/recordings');
export const recording = (id: string) => get<RecordingView>(`/recordings/${id}`);
/** The lines, with translations into one language. */
export const lines = (id: string, to: string) => get<LinesView>(`/recordings/${id}/lines?to=${to}`);
/** Only those that overlap some seconds. */
export const linesIn = (id: string, to: string, s: Span) => get<LinesView>(`/recordings/${id}/lines?to=${to}&from=${s.from}&until=${s.to}`);
export const history = (id: string, s: Span) => get<EntryView[]>(`/recordings/${id}/lines/${s.from}-${s.to}/history`);
/** The lines of the answer have translations into one language, which is that of an edited translation. */
export const edit = (id: string, e: Edit, to: string) => send<EditDone>('POST', `/recordings/${id}/edits?to=${e.translation?.language ?? to}`, e);
export const played = (id: string, span: Span, to: string) => send<LineView>('POST', `/recordings/${id}/played?to=${to}`, { span });
export const jobs = () => get<JobsView>('/jobs');
export const runJobs = (r: RunJobs) => send<JobsView>('POST', '/jobs/run', r);
export const stopJobs = () => send<JobsView>('POST', '/jobs/stop');
export const presence = (p: Omit<Presence, 'person' | 'you'>) => send<void>('POST', '/presence', { person: '', you: false, ...p });

export function search(q: string, limit: number, offset: number, signal?: AbortSignal): Promise<SearchView> {
  return get<SearchView>(`/search?${new URLSearchParams({ q, limit: String(limit), offset: String(offset) })}`, signal);
}

export type PictureKind = 'peaks' | 'spectrogram';

/** A tile's bytes, or null where it is not drawn yet. */
export async function tile(id: string, kind: PictureKind, level: number, n: number, signal: AbortSignal): Promise<Uint8Array | null> {
  const answer = await ask('GET', `/recordings/${id}/${kind}/${level}/${n}`, { signal });
  return answer.status === 204 ? null : new Uint8Array(await answer.arrayBuffer());
}

export async function clip(id: string, s: Span): Promise<Blob> {
  return (await ask('GET', `/recordings/${id}/clip.wav?from=${s.from}&to=${s.to}`)).blob();
}

export const soundURL = (id: string) => `/api/recordings/${id}/sound.wav`;
export const eventsURL = '/api/events';
export const exportURL = (format: string, recording = '') =>
  `/api/export?${new URLSearchParams(recording ? { format, recording } : { format })}`;

/** Takes a file in as a recording. XMLHttpRequest, as fetch tells nothing of the progress of what it sends. */
export function upload(file: File, progress: (fraction: number) => void, signal: AbortSignal): Promise<RecordingView> {
  return new Promise((resolve, reject) => {
    const x = new XMLHttpRequest();
    x.open('POST', `/api/recordings?name=${encodeURIComponent(file.name)}`);
    x.upload.onprogress = (e) => e.lengthComputable && progress(e.loaded / e.total);
    x.onerror = () => reject(new OfflineError(file.name));
    x.onabort = () => reject(new DOMException(file.name, 'AbortError'));
    x.onload = () => {
      const answer = new Response(x.responseText, { status: x.status, statusText: x.statusText });
      taken<RecordingView>(answer).then(resolve, reject);
    };
    signal.addEventListener('abort', () => x.abort(), { once: true });
    x.send(file);
  });
}

function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return ask('GET', path, signal ? { signal } : {}).then((a) => a.json() as Promise<T>);
}

async function send<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await ask(method, path, {
    headers: { 'Content-Type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
    keepalive: path === '/presence',
  });
  const text = await answer.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

async function ask(method: string, path: string, init: RequestInit = {}): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(`/api${path}`, { method, credentials: 'same-origin', ...init });
  } catch (e) {
    if (e instanceof DOMException && e.name === 'AbortError') throw e;
    throw new OfflineError(path);
  }
  return checked(answer);
}

async function taken<T>(answer: Response): Promise<T> {
  return (await checked(answer)).json() as Promise<T>;
}

async function checked(answer: Response): Promise<Response> {
  if (answer.ok) return answer;
  const e = new ApiError(answer.status, await problemOf(answer));
  if (answer.status === 401 && !answer.url.endsWith('/api/login')) sessionOver.value = true;
  throw e;
}
