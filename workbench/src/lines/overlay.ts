import type { Edit, LineView, Span } from '../api/types';
import { overlaps, sameSpan } from '../sound/time';
import { inOrder } from './order';

/** The lines as they will be once an edit has arrived: what a person wrote is on the screen at once. */
export function overlay(lines: LineView[], e: Edit, person: string): LineView[] {
  const { utterance: u, translation: tr, stations: st, mark, cut } = e;
  if (u) {
    return change(lines, u.span, (l) => {
      const back = u.text.trim() === '';
      const stale = l.translation && l.translation.author !== '' && u.text.trim() !== l.text;
      const text: LineView = back
        ? { ...l, text: l.machine, author: '', state: 'draft' }
        : { ...l, text: u.text.trim(), author: person, state: 'corrected', lang: u.language || l.lang };
      delete text.pieces;
      return stale && l.translation ? { ...text, translation: { ...l.translation, state: 'stale' } } : text;
    });
  }
  if (tr) {
    return change(lines, tr.span, (l) => {
      if (tr.text.trim() !== '') {
        return { ...l, translation: { text: tr.text.trim(), language: tr.language, state: 'translated', reason: '', author: person, entry: l.translation?.entry ?? 0, model: '' } };
      }
      // The machine's, where there is one, comes with the answer.
      return { ...l, translation: { text: '', language: tr.language, state: 'not translated', reason: '', author: '', entry: l.translation?.entry ?? 0, model: '' } };
    });
  }
  if (st) {
    return change(lines, st.span, (l) => {
      const stated = { ...l };
      delete stated.from;
      delete stated.to;
      return { ...stated, ...(st.from ? { from: st.from } : {}), ...(st.to ? { to: st.to } : {}) };
    });
  }
  if (mark) {
    return lines.map((l) => {
      if (!overlaps(l.span, mark.span)) return l;
      const rest = l.marks.filter((m) => m.mark !== mark.mark || !sameSpan(m.span, mark.span));
      return { ...l, marks: mark.off ? rest : [...rest, { mark: mark.mark, note: mark.note, span: mark.span, by: person, entry: 0 }] };
    });
  }
  if (cut) {
    const gone = lines.filter((l) => cut.was.some((s) => sameSpan(s, l.span)));
    const rest = lines.filter((l) => !gone.includes(l));
    const fresh = cut.now.map((span, i) => cutLine(span, cut.texts[i] ?? '', gone, person));
    return [...rest, ...fresh].sort(inOrder);
  }
  return lines;
}

function change(lines: LineView[], s: Span, f: (l: LineView) => LineView): LineView[] {
  return lines.map((l) => (sameSpan(l.span, s) ? f(l) : l));
}

// A line that a cut makes, out of those it takes the place of; its words are the machine's that lie in it.
function cutLine(span: Span, text: string, gone: LineView[], person: string): LineView {
  const from = gone.find((l) => overlaps(l.span, span));
  const words = gone.flatMap((l) => l.words.filter((w) => w[1] + w[2] >= 2 * span.from && w[1] + w[2] < 2 * span.to));
  const machine = words.map((w) => w[0]).join(' ');
  return {
    citation: '', time: '', state: text ? 'corrected' : machine ? 'draft' : 'waiting', reason: '', sound: from?.sound ?? 'speech', snr_db: from?.snr_db ?? 0,
    lang: from?.lang ?? '', text: text || machine, author: text ? person : '', second: '', entry: 0, basis: 0, rival: '', rival_entry: 0, rival_by: '', machine,
    model: from?.model ?? '', words, stations: 0, marks: (from?.marks ?? []).filter((m) => overlaps(m.span, span)), calls: '', hidden: false, played: false, cut: true, span,
    ...(from?.from ? { from: from.from } : {}), ...(from?.to ? { to: from.to } : {}),
  };
}
