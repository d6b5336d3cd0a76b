// Positions are samples of the working sound, 16,000 a second, as everywhere in the house.

import type { Span } from '../api/types';

export const rate = 16_000;

export const seconds = (samples: number) => samples / rate;
export const lengthOf = (s: Span) => s.to - s.from;
export const sameSpan = (a: Span, b: Span) => a.from === b.from && a.to === b.to;
export const overlaps = (a: Span, b: Span) => a.from < b.to && b.from < a.to;

/** Writes a position as a citation does: hh:mm:ss.d with one to three decimals. */
export function clock(sample: number): string {
  const s = fixed(Math.floor((sample * 1000 + rate / 2) / rate), 3);
  return s.replace(/0{1,2}$/, '');
}

/** Writes a position with one decimal, so that a column of them stands still. */
export const shortClock = (sample: number) => fixed(Math.floor((sample * 10) / rate), 1);

export const wholeClock = (sample: number) => fixed(Math.floor(sample / rate), 0);

// n counts units of which 10^decimals make a second.
function fixed(n: number, decimals: number): string {
  const unit = 10 ** decimals;
  const two = (v: number) => String(v).padStart(2, '0');
  const whole = Math.floor(n / unit);
  const head = `${two(Math.floor(whole / 3600))}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return decimals === 0 ? head : `${head}.${String(n % unit).padStart(decimals, '0')}`;
}

/** Reads hh:mm:ss.d or mm:ss.d, to the nearest sample; null where it is neither. */
export function parseClock(s: string): number | null {
  const m = /^(?:(\d{1,4}):)?(\d{1,2}):(\d{2})(?:\.(\d{1,6}))?$/.exec(s.trim());
  if (!m) return null;
  const [h, min, sec] = [Number(m[1] ?? 0), Number(m[2]), Number(m[3])];
  if (min > 59 || sec > 59) return null;
  return Math.round((h * 3600 + min * 60 + sec + Number(`0.${m[4] ?? 0}`)) * rate);
}

/** Reads a citation, such as REC-0014@00:31:36.0-00:31:41.6; a recording alone is one too. */
export function parseCitation(s: string): { recording: string; span: Span | null } | null {
  const m = /^(REC-\d{4,})(?:@([\d:.]+)(?:-([\d:.]+))?)?$/.exec(s.trim());
  if (!m?.[1]) return null;
  if (m[2] === undefined) return { recording: m[1], span: null };
  const from = parseClock(m[2]);
  const to = m[3] === undefined ? from : parseClock(m[3]);
  return from === null || to === null || to < from ? null : { recording: m[1], span: { from, to } };
}

/** The wall clock of an RFC 3339 time in its own offset, whatever the zone of this machine. */
export function wallClock(time: string): { date: string; time: string; offset: string } | null {
  const m = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(\.\d+)?(Z|[+-]\d{2}:\d{2})$/.exec(time);
  if (!m?.[1] || !m[2] || !m[4]) return null;
  return { date: m[1], time: m[2] + (m[3] ?? '').slice(0, 2), offset: m[4] === 'Z' ? 'UTC' : `UTC${m[4].replace(/^([+-])0?(\d+):00$/, '$1$2')}` };
}

/** A date as the interface's language writes it. */
export function dateName(date: string, language: string): string {
  const d = new Date(`${date}T00:00:00Z`);
  return Number.isNaN(d.getTime()) ? date : new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeZone: 'UTC' }).format(d);
}

/** A moment of the log, in this machine's own zone, which it says. */
export function momentName(time: string, language: string): string {
  const d = new Date(time);
  return Number.isNaN(d.getTime()) ? time : new Intl.DateTimeFormat(language, { year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZoneName: 'short' }).format(d);
}
