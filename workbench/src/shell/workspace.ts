// What is there as long as a session is: who works, on which case, and what they wrote that is still on its way.

import { signal } from '@preact/signals';
import * as api from '../api/client';
import { openEvents } from '../api/events';
import type { Edit, EditDone, SessionView } from '../api/types';
import { t } from '../i18n';
import { Drafts } from '../lines/drafts';
import { Outbox, type Pending } from '../lines/outbox';
import * as storage from '../lines/storage';
import { target } from '../lines/target';
import { UndoStack } from '../lines/undo';
import { toast } from '../ui/announce';
import { Scope } from '../ui/scope';
import { explain } from '../ui/trouble';

export interface Workspace {
  session: SessionView;
  outbox: Outbox;
  drafts: Drafts;
  undo: UndoStack;
  may: (right: string) => boolean;
}

export const workspace = signal<Workspace | null>(null);

type DoneListener = (recording: string, d: EditDone, e: Edit) => void;
const doneListeners = new Set<DoneListener>();

/** Hears of every edit of this page that has become durable. */
export function onDone(f: DoneListener): () => void {
  doneListeners.add(f);
  return () => doneListeners.delete(f);
}

/** 32 hexadecimal digits that nobody else draws. */
export function newID(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');
}

/** Begins to work. Fails as the first request does. */
export async function openWorkspace(): Promise<Scope> {
  const session = await api.session();
  const scope = new Scope();
  const drafts = new Drafts(session.case.origin);
  const outbox = openOutbox(session, drafts, scope);
  await drafts.begin();
  workspace.value = { session, outbox, drafts, undo: new UndoStack(), may: (right) => session.may.includes(right) };
  await outbox.begin();

  scope.own(openEvents());
  scope.own(api.sessionOver.subscribe((over) => over && outbox.stop()));
  scope.listen(window, 'pagehide', () => void drafts.flush());
  scope.listen(window, 'beforeunload', (e) => {
    void drafts.flush();
    if (!outbox.safe.value || !drafts.safe.value) e.preventDefault();
  });
  return scope;
}

function openOutbox(session: SessionView, drafts: Drafts, scope: Scope): Outbox {
  const prefix = `${session.case.origin} `;
  const tab = newID();
  let wake: () => void = () => undefined;
  scope.listen(window, 'online', () => wake());
  // Held until the page goes, whichever way it does: so another page knows whose edits are left behind.
  void navigator.locks?.request(`earwitness.tab.${tab}`, () => new Promise<void>((resolve) => scope.own(resolve)));

  return new Outbox({
    store: {
      put: (p) => storage.put('outbox', { ...p, key: prefix + p.key }),
      remove: (key) => storage.remove('outbox', prefix + key),
      all: async () => (await storage.all<Pending>('outbox', prefix)).map((p) => ({ ...p, key: p.key.slice(prefix.length) })),
    },
    tab,
    person: session.person,
    living: async () => {
      const held = (await navigator.locks?.query())?.held ?? [];
      return new Set(held.map((l) => (l.name ?? '').replace('earwitness.tab.', '')));
    },
    now: () => Date.now(),
    newID,
    send: (recording, e) => api.edit(recording, e, target.peek()),
    wait: (ms) => new Promise((resolve) => {
      const id = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(id);
        resolve();
      };
    }),
    done: (recording, d, p) => doneListeners.forEach((f) => f(recording, d, p.edit)),
    refused: (p, e) => giveBack(p, e, drafts),
  });
}

// Words that the server does not take are the person's all the same.
function giveBack(p: Pending, e: unknown, drafts: Drafts): void {
  const { text, hint } = explain(e);
  const c = p.change;
  if (c.kind === 'text' || c.kind === 'translation') {
    drafts.set(p.recording, c.span, c.kind, c.after, c.before, 0);
    toast(`${t.value.save.refused} ${text}`, { hint: hint || t.value.save.backToDraft, alarm: true });
  } else {
    toast(`${t.value.save.refused} ${text}`, { hint, alarm: true });
  }
}
