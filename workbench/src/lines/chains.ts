// What a person's own edits have become, so that a later edit of theirs names what it truly stands on when it is sent.

import type { Edit, EditDone, LineView } from '../api/types';
import { overlaps, sameSpan } from '../sound/time';
import { aroundOf, rebase } from './change';

/** What replaces one another: a transmission's words, its translation into a language, its stations, a mark. Empty for a cut. */
function chainOf(e: Edit): string {
  const at = (s: { from: number; to: number }) => `${s.from}-${s.to}`;
  if (e.utterance) return `text ${at(e.utterance.span)}`;
  if (e.translation) return `translation ${at(e.translation.span)} ${e.translation.language}`;
  if (e.stations) return `stations ${at(e.stations.span)}`;
  if (e.mark) return `mark ${at(e.mark.span)} ${e.mark.mark}`;
  return '';
}

export const replacesOf = (e: Edit) => (e.utterance ?? e.translation ?? e.stations ?? e.mark)?.replaces ?? 0;

export function replacing(e: Edit, entry: number): Edit {
  if (e.utterance) return { ...e, utterance: { ...e.utterance, replaces: entry } };
  if (e.translation) return { ...e, translation: { ...e.translation, replaces: entry } };
  if (e.stations) return { ...e, stations: { ...e.stations, replaces: entry } };
  if (e.mark) return { ...e, mark: { ...e.mark, replaces: entry } };
  return e;
}

/** Own entries of this page, each with the own entry that took its place. What others wrote in between is never passed over. */
export class Successors {
  private readonly next = new Map<string, number>();
  private readonly own = new Set<string>();
  private readonly bases = new Map<string, { entry: number; basis: number }>(); // that words of one's own gave a translation

  done(recording: string, sent: Edit, d: EditDone): void {
    const chain = chainOf(sent);
    const texts = sent.cut?.texts.filter((text) => text !== '').length ?? 0;
    for (let i = 0; i <= texts; i++) this.own.add(`${recording} ${d.entry + i}`);
    const basis = basisAfter(sent, d);
    if (sent.utterance && basis !== null) this.bases.set(`${recording} ${sent.utterance.span.from}-${sent.utterance.span.to}`, { entry: d.entry, basis });
    if (chain && replacesOf(sent) !== d.entry) this.next.set(`${recording} ${chain} ${replacesOf(sent)}`, d.entry);
  }

  isOwn(recording: string, entry: number): boolean {
    return this.own.has(`${recording} ${entry}`);
  }

  /** The edit on top of the newest of this person's own entries that followed what it replaces. */
  newest(recording: string, e: Edit): Edit {
    const chain = chainOf(e);
    if (!chain) return e;
    let at = replacesOf(e);
    for (let to = this.next.get(`${recording} ${chain} ${at}`); to !== undefined && to > at; to = this.next.get(`${recording} ${chain} ${at}`)) at = to;
    const on = at === replacesOf(e) ? e : replacing(e, at);
    const tr = on.translation;
    const known = tr && this.bases.get(`${recording} ${tr.span.from}-${tr.span.to}`);
    return tr && known && tr.of < known.entry ? { ...on, translation: { ...tr, of: known.basis } } : on;
  }
}

/** A later edit, made on top of one before its entry had a number: what that became is what the later one stands on. */
export function onTop(later: Edit, sent: Edit, d: EditDone): Edit {
  if (!overlaps(aroundOf(later), aroundOf(sent))) return later;
  if (sent.cut) return rebase(later, d.lines);
  if (chainOf(later) === chainOf(sent)) return replacing(later, d.entry);
  const [u, tr] = [sent.utterance, later.translation];
  if (!u || !tr || !sameSpan(u.span, tr.span)) return later;
  return { ...later, translation: { ...tr, of: basisAfter(sent, d) ?? tr.of } };
}

// What a translation is of that was made on words of one's own, even where somebody wrote others in the moment between.
function basisAfter(sent: Edit, d: EditDone): number | null {
  const u = sent.utterance;
  if (!u) return null;
  const line = d.lines.find((l) => sameSpan(l.span, u.span));
  return line && line.entry === d.entry ? line.basis : u.text.trim() !== '' ? d.entry : null;
}

/** Whether a line is already as this person wants it, by their own hand; so it comes from another of their windows. */
export function isAsWanted(e: Edit, l: LineView, person: string): boolean {
  const { utterance: u, translation: tr, stations: st, mark } = e;
  const same = (now: string, author: string, wanted: string) => (wanted.trim() === '' ? author === '' : author === person && now.trim() === wanted.trim());
  if (u) return sameSpan(l.span, u.span) && same(l.text, l.author, u.text);
  if (tr) {
    const now = l.translation?.language === tr.language ? l.translation : undefined;
    return sameSpan(l.span, tr.span) && same(now?.text ?? '', now?.author ?? '', tr.text);
  }
  if (st) return sameSpan(l.span, st.span) && l.from?.call_sign === st.from?.call_sign && l.from?.basis === st.from?.basis && l.to?.call_sign === st.to?.call_sign && l.to?.basis === st.to?.basis;
  if (mark) return l.marks.some((m) => m.mark === mark.mark && sameSpan(m.span, mark.span) && (mark.off || m.note === mark.note)) !== mark.off;
  return false;
}
