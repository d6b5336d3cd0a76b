// What the keys do on a recording's screen.

import type { LineView } from '../api/types';
import { t } from '../i18n';
import { useCommands } from '../keys/dispatch';
import { typeInto } from '../lines/editor';
import type { Field } from '../lines/drafts';
import { isUnread, lineID } from '../lines/order';
import { inaudiblePiece, insertPiece, offerRival } from '../lines/typing';
import { autoPlay } from '../sound/listening';
import type { Player } from '../sound/player';
import { lengthOf, rate, seconds } from '../sound/time';
import { toast } from '../ui/announce';
import { isNumber, setting } from '../ui/setting';
import { toggleReturn } from './ask';
import { find, join, moveEdge, splitAt } from './cuts';
import { citationOf, copy } from './head';
import { play, toggle } from './playing';
import type { RecordingStore } from './store';
import { fit, whole, zoom, type View } from './view';

const half = rate / 2;

/** How strongly faint sound is drawn. */
export const gain = setting('picture.gain', 1, isNumber);

export function useRecordingCommands(store: RecordingStore, player: Player, view: { value: View; peek(): View }): void {
  const withLine = (f: (l: LineView) => void) => () => {
    const line = store.line.peek();
    if (!line) return false;
    f(line);
    return undefined;
  };
  const samples = () => store.samples.peek();
  const look = (f: (v: View) => View) => () => {
    view.value = f(view.peek());
  };
  const cut = (f: (l: LineView) => ReturnType<typeof splitAt>, none: string) => withLine((l) => {
    const c = f(l);
    if (c) store.change(c);
    else toast(none);
  });
  const select = (edge: 'from' | 'to') => () => {
    const at = player.at.peek();
    const old = store.selection.peek();
    const other = edge === 'from' ? Math.max(old?.to ?? 0, at + rate) : Math.min(old?.from ?? at, at);
    store.selection.value = edge === 'from' ? { from: at, to: Math.min(other, samples()) } : { from: other === at ? Math.max(0, at - rate) : other, to: at };
  };
  const m = t.value;
  useCommands({
    play: () => toggle(store, player),
    playOn: () => (player.playing.peek() ? player.pause() : void player.playOn(player.at.peek() || (store.line.peek()?.span.from ?? 0))),
    replay: withLine((l) => play(store, player, l)),
    replaySlow: withLine((l) => play(store, player, l, { speed: 0.7 })),
    before: withLine((l) => void player.playSpan({ from: Math.max(0, l.span.from - half), to: l.span.from })),
    after: withLine((l) => void player.playSpan({ from: l.span.to, to: Math.min(samples(), l.span.to + half) })),
    secondBack: () => player.seek(player.at.peek() - rate),
    secondOn: () => player.seek(player.at.peek() + rate),
    slower: () => player.stepSpeed(-1),
    faster: () => player.stepSpeed(1),
    loop: () => {
      player.loop.value = !player.loop.peek();
    },
    autoplay: () => {
      autoPlay.value = !autoPlay.peek();
      toast(autoPlay.peek() ? m.player.autoOn : m.player.autoOff);
    },
    next: () => void store.step(1),
    previous: () => void store.step(-1),
    first: () => void store.step(-Infinity),
    last: () => void store.step(Infinity),
    pageDown: () => void store.step(10),
    pageUp: () => void store.step(-10),
    nextUnread: () => void store.goNext(isUnread, m.edit.last),
    nextDoubt: () => {
      store.doubtMarks.value = true;
      store.goNext(store.isDoubtful, m.doubts.empty);
    },
    doubtMarks: () => {
      store.doubtMarks.value = !store.doubtMarks.peek();
    },
    nextFailed: () => void store.goNext((l) => l.state === 'not understood' || l.state === 'failed', m.edit.last),
    open: withLine((l) => open(store, l, store.writing.peek() ?? 'text')),
    openTranslation: withLine((l) => open(store, l, 'translation')),
    speaker: withLine(() => (store.asking.value = 'from')),
    addressee: withLine(() => (store.asking.value = 'to')),
    markReturn: withLine((l) => toggleReturn(store, l)),
    markDistress: withLine(() => (store.asking.value = 'distress')),
    difference: () => {
      store.panel.value = store.panel.peek() === 'difference' ? null : 'difference';
    },
    details: () => {
      store.panel.value = store.panel.peek() === 'details' ? null : 'details';
    },
    copy: withLine((l) => void copy(citationOf(store.id, l))),
    zoomIn: look((v) => zoom(v, 2, v.width / 2, samples())),
    zoomOut: look((v) => zoom(v, 0.5, v.width / 2, samples())),
    whole: look((v) => whole(v, samples())),
    fit: withLine((l) => (view.value = fit(view.peek(), l.span, samples()))),
    gainUp: () => {
      gain.value = Math.min(16, gain.peek() * 1.25);
    },
    gainDown: () => {
      gain.value = Math.max(1 / 16, gain.peek() / 1.25);
    },
    setStart: cut((l) => moveEdge(store.lines.peek(), l, 'from', player.at.peek(), samples()), m.cut.tooShort),
    setEnd: cut((l) => moveEdge(store.lines.peek(), l, 'to', player.at.peek(), samples()), m.cut.tooShort),
    split: (e) => splitHere(store, player, e),
    join: cut((l) => {
      const next = store.lines.peek()[store.index.peek() + 1];
      return next ? join(l, next) : null;
    }, m.cut.noNext),
    selectFrom: select('from'),
    selectTo: select('to'),
    cutNew: () => {
      const s = store.selection.peek();
      const c = s && find(s, store.line.peek()?.lang ?? '');
      if (c) store.change(c);
      else toast(m.cut.selectFirst);
    },
    undo: () => store.undo(),
    redo: () => store.redo(),
    leave: () => {
      if (store.panel.peek()) store.panel.value = null;
      else if (store.selection.peek()) store.selection.value = null;
      else if (player.playing.peek()) player.pause();
      else return false;
      return undefined;
    },
    ...writingCommands(store, player),
  });
}

function writingCommands(store: RecordingStore, player: Player) {
  // Only in the fields of a line: in the other fields of the page these keys are the browser's.
  const inField = (f: (field: HTMLTextAreaElement, kind: Field, line: LineView) => void) => (e?: KeyboardEvent) => {
    const field = e ? e.target : document.activeElement;
    const line = store.line.peek();
    if (!(field instanceof HTMLTextAreaElement) || !line) return false;
    const kind = field.dataset['field'];
    if (kind !== 'text' && kind !== 'translation') return false;
    f(field, kind, line);
    return undefined;
  };
  const move = (by: number) => inField((_, kind) => {
    if (store.step(by)) store.writing.value = kind;
  });
  const runLength = (line: LineView) => {
    const s = store.selection.peek();
    return s ? lengthOf(s) : Math.min(player.lastRun.peek() || rate, lengthOf(line.span));
  };
  return {
    editSave: inField((_, kind, line) => {
      void store.save(line, kind);
      if (!store.step(1)) store.writing.value = null;
    }),
    editStay: inField((_, kind, line) => void store.save(line, kind)),
    editLeave: inField(() => (store.writing.value = null)),
    editSwitch: inField((_, kind) => (store.writing.value = kind === 'text' ? 'translation' : 'text')),
    editPlay: inField(() => toggle(store, player)),
    editBack: inField(() => player.seek(player.at.peek() - 2 * rate)),
    editUp: move(-1),
    editDown: move(1),
    editInaudible: inField((field, _, line) => typeInto(field, insertPiece(field.value, field.selectionStart, field.selectionEnd, inaudiblePiece(seconds(runLength(line)))))),
    editRival: inField((field) => typeInto(field, offerRival(field.value, field.selectionStart, field.selectionEnd))),
  };
}

function splitHere(store: RecordingStore, player: Player, e?: KeyboardEvent): unknown {
  const line = store.line.peek();
  if (!line) return false;
  const field = e?.target instanceof HTMLTextAreaElement ? e.target : null;
  const c = field ? splitAt(line, player.at.peek(), field.value, field.selectionStart) : splitAt(line, player.at.peek());
  if (!c) {
    toast(t.value.cut.nothing);
    return undefined;
  }
  if (field) {
    store.discard(line);
    store.writing.value = null;
  }
  store.change(c);
  return undefined;
}

/** Begins to write in a line. */
export function open(store: RecordingStore, line: LineView, field: Field): void {
  if (!store.mayWrite(field)) return;
  const already = store.active.peek() === lineID(line.span) && store.writing.peek() !== null;
  store.goTo(line);
  store.writing.value = field;
  // A line that is being written already has its fields: the focus goes back into them, as it may be on the row.
  if (already) document.querySelector<HTMLElement>(`[role=row].writing [data-field=${field}]`)?.focus();
}
