// Words being written. Every key stroke is kept in this browser, so that neither a crash nor the end of a session costs one.

import { signal } from '@preact/signals';
import type { Span } from '../api/types';
import { lineID } from './order';
import * as storage from './storage';

export type Field = 'text' | 'translation';

export interface Draft {
  key: string;
  text: string;
  began: string; // the field's words when the person began
  entry: number; // that these stood in
  at: number;
}

export class Drafts {
  /** All drafts of the case, by key. */
  readonly all = signal<ReadonlyMap<string, Draft>>(new Map());
  /** False while one could not be kept. */
  readonly safe = signal(true);

  private readonly unwritten = new Set<string>();
  private flushing: Promise<void> | null = null;

  constructor(private readonly origin: string) {}

  static key(origin: string, recording: string, s: Span, field: Field): string {
    return `${origin} ${recording} ${lineID(s)} ${field}`;
  }

  async begin(): Promise<void> {
    try {
      const kept = await storage.all<Draft>('drafts', `${this.origin} `);
      this.all.value = new Map([...kept.map((d) => [d.key, d] as const), ...this.all.value]);
    } catch {
      // Nothing can be kept here: `safe` says so as soon as there is something to keep.
    }
  }

  get(recording: string, s: Span, field: Field): Draft | undefined {
    return this.all.value.get(Drafts.key(this.origin, recording, s, field));
  }

  has(recording: string, s: Span): boolean {
    return this.get(recording, s, 'text') !== undefined || this.get(recording, s, 'translation') !== undefined;
  }

  set(recording: string, s: Span, field: Field, text: string, began: string, entry: number): void {
    const key = Drafts.key(this.origin, recording, s, field);
    const next = new Map(this.all.value);
    const base = next.get(key) ?? { began, entry };
    if (text === base.began) next.delete(key);
    else next.set(key, { key, text, began: base.began, entry: base.entry, at: Date.now() });
    this.all.value = next;
    this.unwritten.add(key);
    this.safe.value = false;
    void this.flush();
  }

  remove(recording: string, s: Span, field: Field): void {
    const key = Drafts.key(this.origin, recording, s, field);
    if (!this.all.value.has(key)) return;
    const next = new Map(this.all.value);
    next.delete(key);
    this.all.value = next;
    this.unwritten.add(key);
    void this.flush();
  }

  /** Writes what is not written yet. What is typed meanwhile is written together, once the disk is free again. */
  flush(): Promise<void> {
    this.flushing ??= this.writeAll().finally(() => {
      this.flushing = null;
    });
    return this.flushing;
  }

  private async writeAll(): Promise<void> {
    while (this.unwritten.size > 0) {
      const keys = [...this.unwritten];
      this.unwritten.clear();
      try {
        await Promise.all(keys.map((key) => {
          const d = this.all.value.get(key);
          return d ? storage.put('drafts', d) : storage.remove('drafts', key);
        }));
      } catch {
        // They are tried again with the next key stroke; until then the page warns before it closes.
        for (const key of keys) this.unwritten.add(key);
        this.safe.value = false;
        return;
      }
    }
    this.safe.value = true;
  }
}
