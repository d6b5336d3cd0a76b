// Edits on their way to the case. They are kept in this browser until the server has answered that they are durable, go
// out in the order in which they were made, and go out again, under the same id, as often as the way is broken.

import { batch, computed, signal } from '@preact/signals';
import { isConflict, isPassing } from '../api/problem';
import type { Edit, EditDone, LineView } from '../api/types';
import { overlaps } from '../sound/time';
import { isAsWanted, onTop, replacesOf, Successors } from './chains';
import { aroundOf, rebase, type Change } from './change';

export interface Pending {
  key: string; // in the order of making
  recording: string;
  edit: Edit;
  change: Change;
  tab: string; // that sends it
  conflict: { theirs: LineView | null; message: string } | null;
}

interface OutboxStore {
  put(p: Pending): Promise<void>;
  remove(key: string): Promise<void>;
  all(): Promise<Pending[]>;
}

export interface OutboxDeps {
  store: OutboxStore;
  tab: string;
  person: string; // whose edits these are
  living: () => Promise<Set<string>>; // tabs whose edits are theirs to send
  now: () => number;
  newID: () => string;
  send: (recording: string, e: Edit) => Promise<EditDone>;
  wait: (ms: number) => Promise<void>; // also ends when the network comes back
  done: (recording: string, d: EditDone, p: Pending) => void;
  refused: (p: Pending, e: unknown) => void;
}

const firstWait = 500;
const longestWait = 30_000;

export class Outbox {
  readonly pending = signal<Pending[]>([]);
  readonly offline = signal(false);
  /** False while something is neither in the case nor kept in this browser. */
  readonly safe = computed(() => this.unkept.value.size === 0);
  readonly conflicts = computed(() => this.pending.value.filter((p) => p.conflict));

  private readonly unkept = signal<ReadonlySet<string>>(new Set());
  private readonly successors = new Successors();
  private counter = 0;
  private running = false;
  private stopped = false;

  constructor(private readonly deps: OutboxDeps) {}

  /** Takes up what an earlier page of this browser could not send. */
  async begin(): Promise<void> {
    try {
      const living = await this.deps.living();
      const left = (await this.deps.store.all()).filter((p) => !living.has(p.tab));
      this.pending.value = [...left, ...this.pending.value];
    } catch {
      // Nothing can be kept here: `safe` says so as soon as there is something to keep.
    }
    this.run();
  }

  /** Whether an entry is one that this page wrote. */
  isOwn(recording: string, entry: number): boolean {
    return this.successors.isOwn(recording, entry);
  }

  /** Takes an edit. It is kept in this browser when the promise resolves, if that can be at all. */
  async add(recording: string, edit: Edit, change: Change): Promise<void> {
    const key = `${String(this.deps.now()).padStart(15, '0')}-${String(this.counter++).padStart(6, '0')}-${edit.id}`;
    const p: Pending = { key, recording, edit, change, tab: this.deps.tab, conflict: null };
    this.pending.value = [...this.pending.value, p];
    await this.keep(p);
    this.run();
  }

  /** Sends mine after all, on top of what is there now, perhaps in other words. */
  async settle(p: Pending, edit: Edit, change: Change): Promise<void> {
    const again: Pending = { ...p, edit: { ...edit, id: this.deps.newID() }, change, conflict: null };
    this.replace(again);
    await this.keep(again);
    this.run();
  }

  async drop(p: Pending): Promise<void> {
    this.pending.value = this.pending.value.filter((q) => q.key !== p.key);
    await this.forget(p.key);
    this.run();
  }

  /** Ends for good, as when the session is over. What waits stays kept. */
  stop(): void {
    this.stopped = true;
  }

  private async keep(p: Pending): Promise<void> {
    this.unkept.value = new Set(this.unkept.value).add(p.key);
    try {
      await this.deps.store.put(p);
      this.nowSafe(p.key);
    } catch {
      // It stays in memory and is sent from there; the page warns before it closes.
    }
  }

  private async forget(key: string): Promise<void> {
    this.nowSafe(key);
    await this.deps.store.remove(key).catch(() => undefined); // sent again by a later page, it is done once
  }

  private nowSafe(key: string): void {
    const left = new Set(this.unkept.value);
    left.delete(key);
    this.unkept.value = left;
  }

  private replace(p: Pending): void {
    this.pending.value = this.pending.value.map((q) => (q.key === p.key ? p : q));
  }

  // The first edit that no decision holds up: one about the same seconds as an undecided one waits for it.
  private next(): Pending | undefined {
    const held: Pending[] = [];
    for (const p of this.pending.value) {
      const waits = p.conflict !== null || held.some((h) => h.recording === p.recording && overlaps(aroundOf(h.edit), aroundOf(p.edit)));
      if (!waits) return p;
      held.push(p);
    }
    return undefined;
  }

  private run(): void {
    if (this.running) return;
    this.running = true;
    void this.sendAll().finally(() => {
      this.running = false;
      if (!this.stopped && this.next()) this.run(); // it came while the last one was leaving
    });
  }

  private async sendAll(): Promise<void> {
    let wait = firstWait;
    for (let p = this.next(); p && !this.stopped; p = this.next()) {
      try {
        p = { ...p, edit: this.successors.newest(p.recording, p.edit) };
        const done = await this.deps.send(p.recording, p.edit);
        this.offline.value = false;
        wait = firstWait;
        await this.arrived(p, done);
      } catch (e) {
        if (isPassing(e)) {
          this.offline.value = true;
          await this.deps.wait(wait);
          wait = Math.min(wait * 2, longestWait);
        } else if (isConflict(e)) {
          await this.conflicting(p, e.problem.line ?? null, e.message);
        } else if (this.stopped) {
          return;
        } else {
          this.deps.refused(p, e);
          this.pending.value = this.pending.value.filter((q) => q.key !== p?.key);
          await this.forget(p.key);
        }
      }
    }
  }

  // Only what somebody else wrote in between, or other words from another window, is for the person to decide.
  private async conflicting(p: Pending, theirs: LineView | null, message: string): Promise<void> {
    if (theirs && isAsWanted(p.edit, theirs, this.deps.person)) {
      await this.drop(p);
      return;
    }
    const again = theirs ? rebase(p.edit, [theirs]) : p.edit;
    const mine = replacesOf(again) !== replacesOf(p.edit) && this.successors.isOwn(p.recording, replacesOf(again));
    const q: Pending = mine ? { ...p, edit: again } : { ...p, conflict: { theirs, message } };
    this.replace(q);
    await this.keep(q);
  }

  // Later edits of the same seconds were made on top of this one, before its entry had a number.
  private async arrived(p: Pending, done: EditDone): Promise<void> {
    const around = aroundOf(p.edit);
    const later: Pending[] = [];
    this.successors.done(p.recording, p.edit, done);
    batch(() => {
      this.pending.value = this.pending.value
        .filter((q) => q.key !== p.key)
        .map((q) => {
          if (q.recording !== p.recording || q.conflict || !overlaps(aroundOf(q.edit), around)) return q;
          const rebased = { ...q, edit: onTop(q.edit, p.edit, done) };
          later.push(rebased);
          return rebased;
        });
      this.deps.done(p.recording, done, p);
    });
    for (const q of later) await this.keep(q);
    await this.forget(p.key);
  }
}
