// What a person changes, in a form that can be turned round: undoing is changing back, and is itself written to the case.

import type { Edit, LineView, MarkView, Span, Station } from '../api/types';
import { sameSpan } from '../sound/time';

export interface Stations {
  from?: Station | undefined;
  to?: Station | undefined;
}

/** A transmission with the words that people wrote for it; empty where they wrote none. */
export interface Stretch {
  span: Span;
  text: string;
}

export type Change =
  | { kind: 'text'; span: Span; before: string; after: string; language: string }
  | { kind: 'translation'; span: Span; before: string; after: string; language: string }
  | { kind: 'cut'; before: Stretch[]; after: Stretch[]; language: string }
  | { kind: 'stations'; span: Span; before: Stations; after: Stations }
  | { kind: 'mark'; span: Span; mark: string; note: string; on: boolean };

export function inverse(c: Change): Change {
  switch (c.kind) {
    case 'text':
    case 'translation':
      return { ...c, before: c.after, after: c.before };
    case 'cut':
      return { ...c, before: c.after, after: c.before };
    case 'stations':
      return { ...c, before: c.after, after: c.before };
    case 'mark':
      return { ...c, on: !c.on };
  }
}

/** The words that people wrote; the machine's are not theirs to take back. */
export const writtenText = (l: LineView) => (l.author === '' ? '' : l.text);
export const writtenTranslation = (l: LineView) => (l.translation && l.translation.author !== '' ? l.translation.text : '');
export const stretchOf = (l: LineView): Stretch => ({ span: l.span, text: writtenText(l) });

/** The change as an edit of the lines as they are, or null where they are no longer what it changes. */
export function editOf(id: string, c: Change, lines: LineView[]): Edit | null {
  if (c.kind === 'cut') {
    const there = c.before.every((b) => lines.some((l) => sameSpan(l.span, b.span) && writtenText(l) === b.text));
    if (!there) return null;
    const texts = c.after.some((s) => s.text !== '') ? c.after.map((s) => s.text) : [];
    return { id, cut: { was: c.before.map((s) => s.span), now: c.after.map((s) => s.span), texts, language: c.language } };
  }
  const line = lines.find((l) => sameSpan(l.span, c.span));
  if (c.kind === 'mark') {
    const set = markOn(lines, c.span, c.mark);
    if (c.on === (set !== undefined)) return null;
    return { id, mark: { span: c.span, mark: c.mark, note: c.note, off: !c.on, replaces: set?.entry ?? 0 } };
  }
  if (!line) return null;
  switch (c.kind) {
    case 'text':
      if (writtenText(line) !== c.before) return null;
      return { id, utterance: { span: c.span, text: c.after, language: c.language, replaces: line.entry } };
    case 'translation':
      if (writtenTranslation(line) !== c.before) return null;
      return { id, translation: { span: c.span, text: c.after, language: c.language, of: line.basis, replaces: line.translation?.entry ?? 0 } };
    case 'stations':
      if (!sameStation(line.from, c.before.from) || !sameStation(line.to, c.before.to)) return null;
      return { id, stations: { span: c.span, ...present(c.after), replaces: line.stations } };
  }
}

/** The same edit, made on the lines as they have become: what it replaces is what is there now. */
export function rebase(e: Edit, lines: LineView[]): Edit {
  const at = (s: Span) => lines.find((l) => sameSpan(l.span, s));
  if (e.utterance) return { ...e, utterance: { ...e.utterance, replaces: at(e.utterance.span)?.entry ?? e.utterance.replaces } };
  if (e.translation) {
    const l = at(e.translation.span);
    if (!l) return e;
    // A translation that was taken back leaves an entry too, which is what the next one replaces.
    return { ...e, translation: { ...e.translation, of: l.basis, replaces: l.translation?.entry ?? 0 } };
  }
  if (e.stations) return { ...e, stations: { ...e.stations, replaces: at(e.stations.span)?.stations ?? e.stations.replaces } };
  if (e.mark) return { ...e, mark: { ...e.mark, replaces: markOn(lines, e.mark.span, e.mark.mark)?.entry ?? 0 } };
  return e;
}

/** The seconds that an edit is about. */
export function aroundOf(e: Edit): Span {
  const one = e.utterance ?? e.translation ?? e.stations ?? e.mark;
  const spans = one ? [one.span] : [...(e.cut?.was ?? []), ...(e.cut?.now ?? [])];
  return { from: Math.min(...spans.map((s) => s.from)), to: Math.max(...spans.map((s) => s.to)) };
}

export function markOn(lines: LineView[], s: Span, mark: string): MarkView | undefined {
  for (const l of lines) {
    const found = l.marks.find((m) => m.mark === mark && sameSpan(m.span, s));
    if (found) return found;
  }
  return undefined;
}

export const hasMark = (l: LineView, mark: string) => l.marks.some((m) => m.mark === mark);

const sameStation = (a: Station | undefined, b: Station | undefined) => a?.call_sign === b?.call_sign && a?.basis === b?.basis;

const present = (s: Stations): { from?: Station; to?: Station } => ({ ...(s.from ? { from: s.from } : {}), ...(s.to ? { to: s.to } : {}) });
