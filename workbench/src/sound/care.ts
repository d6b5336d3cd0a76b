// How long one has worked with sound without a break. Kept in this browser, so that neither another page nor a reload begins anew.

import { signal } from '@preact/signals';
import { isNumber, setting } from '../ui/setting';

/** Minutes of work with sound after which a break is proposed; 0 for never. */
export const breakAfter = setting('care.minutes', 50, isNumber);

const minute = 60_000;
export const longestBreakless = 5 * minute; // without sound for so long is a break

export interface Work {
  worked: number; // milliseconds since the last break, or since the last one proposed
  last: number; // when sound was last heard
}

const isWork = (v: unknown): v is Work => typeof v === 'object' && v !== null && 'worked' in v && 'last' in v && isNumber(v.worked) && isNumber(v.last);
const work = setting<Work>('care.work', { worked: 0, last: 0 }, isWork);

/** What sound heard now makes of the work; `due` once per interval. Writing between two sounds is work too. */
export function heardAt(w: Work, now: number, minutes: number): { work: Work; due: boolean } {
  const gap = now - w.last;
  const worked = gap < 0 || gap >= longestBreakless ? 0 : w.worked + gap;
  const due = minutes > 0 && worked >= minutes * minute;
  return { work: { worked: due ? 0 : worked, last: now }, due };
}

/** Counts up whenever a break is to be proposed. */
export const breaks = signal(0);

/** Says that sound is being heard. */
export function noteSound(): void {
  const { work: next, due } = heardAt(work.peek(), Date.now(), breakAfter.peek());
  work.value = next;
  if (due) breaks.value++;
}
