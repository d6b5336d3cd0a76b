import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import * as api from '../api/client';
import type { LineView, Span } from '../api/types';
import { t } from '../i18n';
import { useCommands } from '../keys/dispatch';
import { hasMark } from '../lines/change';
import { Details } from '../lines/details';
import { typeInto } from '../lines/editor';
import type { Field } from '../lines/drafts';
import { LineList } from '../lines/list';
import { firstAfter, isUnread, lineID } from '../lines/order';
import { inaudiblePiece, insertPiece, offerRival } from '../lines/typing';
import { recordingPath, route, stay } from '../shell/router';
import type { Workspace } from '../shell/workspace';
import { Clips } from '../sound/clips';
import { autoPlay, distressMode, quietVolume } from '../sound/listening';
import { Player, type PlayOptions } from '../sound/player';
import { lengthOf, rate, seconds } from '../sound/time';
import { Transport } from '../sound/transport';
import { toast } from '../ui/announce';
import { Notice } from '../ui/notice';
import { settled } from '../ui/scope';
import { isNumber, setting } from '../ui/setting';
import { Loading, tell, Trouble } from '../ui/trouble';
import { AskDistress, AskStations, toggleReturn } from './ask';
import { find, join, moveEdge, splitAt } from './cuts';
import { copy, RecordingHead } from './head';
import { Overview } from './overview';
import { Picture } from './picture';
import { RecordingStore } from './store';
import { bringIn, fit, whole, zoom, type View } from './view';

const half = rate / 2;
const gain = setting('picture.gain', 1, isNumber);

/** A recording: its sound to see, its player, its lines to read and to write. */
export function RecordingScreen({ id, at, doubts, space }: { id: string; at: Span | null; doubts: boolean; space: Workspace }) {
  const store = useMemo(() => {
    const s = new RecordingStore(id, space, at);
    s.doubtMarks.value = doubts;
    return s;
  }, [id]);
  const view = useSignal<View>({ from: 0, perPixel: 1, width: 0 });
  const player = usePlayer(store, view);

  useEffect(() => {
    void store.load();
    return () => store.end();
  }, [store]);

  // The address follows the line one is on; the address, when one goes back, leads to it.
  useEffect(() => {
    const say = settled(300, () => {
      const line = store.line.peek();
      if (line && route.peek().screen === 'recording') stay(recordingPath(id, line.span, store.doubtMarks.peek()));
    });
    const end = store.active.subscribe(() => say());
    return () => {
      end();
      say.cancel();
    };
  }, [store]);
  useEffect(() => {
    const line = at && store.lines.value.find((l) => l.span.from === at.from);
    if (line && lineID(line.span) !== store.active.peek()) store.goTo(line);
  }, [at?.from, at?.to]);

  const first = useRef(true);
  useEffect(() => {
    const s = store.line.value?.span;
    if (!s || view.value.width === 0) return;
    view.value = first.current ? fit(view.peek(), around(s), store.samples.peek()) : bringIn(view.peek(), s, store.samples.peek());
    first.current = false;
  }, [store.active.value, view.value.width === 0]);

  useRecordingCommands(store, player, view);

  const r = store.recording.value;
  const lines = store.lines.value;
  const line = store.line.value;
  if (!r) return store.error.value ? <div class="page"><Trouble error={store.error.value} again={() => void store.load()} /></div> : <div class="page"><Loading /></div>;
  return (
    <div class="recording">
      <RecordingHead recording={r} read={lines.filter((l) => l.author !== '').length} of={r.of} />
      {r.samples > 0 ? <Overview store={store} player={player} view={view} /> : <Notice text={r.reason || t.value.recording.noSound}>{r.hint && <p>{r.hint}</p>}</Notice>}
      {r.samples > 0 ? <Picture store={store} player={player} view={view} gain={gain} /> : <div />}
      <Transport player={player} samples={r.samples} onToggle={() => toggle(store, player)} >
        {store.selection.value && <span class="mono">{t.value.recording.selection(seconds(lengthOf(store.selection.value)).toFixed(1))}</span>}
      </Transport>
      <div class={store.panel.value && line ? 'body with-drawer' : 'body'}>
        {lines.length === 0
          ? <NoLines store={store} />
          : <LineList store={store} onOpen={(l, field) => open(store, l, field)} />}
        {store.panel.value && line && <Details store={store} line={line} onCopy={() => void copy(line.citation)} />}
      </div>
      {line && (store.asking.value === 'from' || store.asking.value === 'to') && <AskStations key={lineID(line.span)} store={store} line={line} first={store.asking.value} />}
      {line && store.asking.value === 'distress' && <AskDistress key={lineID(line.span)} store={store} line={line} />}
    </div>
  );
}

const around = (s: Span): Span => ({ from: s.from - 8 * rate, to: s.to + 8 * rate });

function NoLines({ store }: { store: RecordingStore }) {
  const r = store.recording.value;
  const m = t.value.recording;
  const run = () => void api.runJobs([store.id], true).catch(tell);
  return (
    <Notice text={r?.detected ? m.noLines : r?.reason || m.notSearched}>
      {r?.hint && <p>{r.hint}</p>}
      {r?.failures?.map((f) => <p key={f.entry} class="alert">{f.stage}: {f.message}{f.hint && ` ${f.hint}`}</p>)}
      {!r?.detected && <button type="button" onClick={run}>{m.runNow}</button>}
    </Notice>
  );
}

function usePlayer(store: RecordingStore, view: { value: View; peek(): View }): Player {
  const { player, clips } = useMemo(() => {
    const clips = new Clips(api.clip);
    const audio = new Audio();
    audio.preservesPitch = true;
    const player = new Player(audio, {
      failed: (e) => {
        if (e instanceof DOMException && e.name === 'NotAllowedError') toast(t.value.player.blocked);
        else if (e instanceof Error && e.message === 'audio') toast(t.value.player.failed, { alarm: true });
        else tell(e);
      },
      progress: () => notePlayed(store, player),
    });
    return { player, clips };
  }, [store]);

  useEffect(() => {
    const ready = store.samples.subscribe((samples) => {
      if (samples > 0) player.open({ recording: store.id, url: api.soundURL(store.id), clip: (s) => clips.get(store.id, s), samples });
    });
    let frame = 0;
    const run = () => {
      player.tick();
      follow(store, player, view);
      frame = player.playing.peek() ? requestAnimationFrame(run) : 0;
    };
    const started = player.playing.subscribe((on) => {
      if (on && !frame) frame = requestAnimationFrame(run);
    });
    // Where one lands, the sound is at hand; it plays by itself only where that was asked for.
    let landed = '';
    const soon = settled(120, () => {
      const line = store.line.peek();
      if (!line || store.samples.peek() === 0 || lengthOf(line.span) > 120 * rate) return;
      const next = store.lines.peek()[store.index.peek() + 1];
      void clips.get(store.id, line.span).catch(() => undefined); // said when it is to be played
      if (next && lengthOf(next.span) < 60 * rate) void clips.get(store.id, next.span).catch(() => undefined);
    });
    const moved = store.active.subscribe((name) => {
      if (name === landed) return;
      const first = landed === '';
      landed = name;
      soon();
      if (!first && autoPlay.peek()) land(store, player);
    });
    return () => {
      ready();
      started();
      moved();
      soon.cancel();
      cancelAnimationFrame(frame);
      player.close();
      clips.clear();
    };
  }, [player]);
  return player;
}

// The long run takes the list along with it.
function follow(store: RecordingStore, player: Player, view: { value: View; peek(): View }): void {
  const at = player.at.peek();
  const v = view.peek();
  if (at > v.from + v.width * v.perPixel * 0.95 || at < v.from) view.value = bringIn(v, { from: at, to: at + v.width * v.perPixel * 0.8 }, store.samples.peek());
  if (player.span.peek() || store.writing.peek()) return;
  const lines = store.lines.peek();
  const line = lines[firstAfter(lines, at)];
  if (line && line.span.from <= at && lineID(line.span) !== store.active.peek()) store.goTo(line);
}

function notePlayed(store: RecordingStore, player: Player): void {
  const lines = store.lines.peek();
  const at = firstAfter(lines, player.at.peek() - rate);
  for (const l of lines.slice(Math.max(0, at - 1), at + 2)) {
    if (!l.played && player.covers(l.span)) store.played(l);
  }
}

function play(store: RecordingStore, player: Player, line: LineView, o: PlayOptions = {}): void {
  if (store.samples.peek() === 0) {
    toast(t.value.recording.noSound);
    return;
  }
  const quiet = hasMark(line, 'distress') && distressMode.peek() === 'quiet';
  void player.playSpan(line.span, quiet ? { ...o, volume: quietVolume } : o);
}

function land(store: RecordingStore, player: Player): void {
  const line = store.line.peek();
  if (!line) return;
  if (hasMark(line, 'distress')) {
    player.pause();
    toast(distressMode.peek() === 'skip' ? t.value.player.skipped : t.value.player.distress);
    return;
  }
  play(store, player, line);
}

function toggle(store: RecordingStore, player: Player): void {
  if (player.playing.peek()) {
    player.pause();
    return;
  }
  const line = store.line.peek();
  const at = player.at.peek();
  // In the line one is on, or before one has moved the head: the line. Elsewhere the head was put there to listen from.
  if (line && at > line.span.from && at < line.span.to - rate / 50) play(store, player, line, { from: at });
  else if (line && (player.span.peek() || at === 0 || (at >= line.span.from && at <= line.span.to))) play(store, player, line);
  else void player.resume();
}

function open(store: RecordingStore, line: LineView, field: Field): void {
  store.goTo(line);
  store.writing.value = field;
}

function useRecordingCommands(store: RecordingStore, player: Player, view: { value: View; peek(): View }): void {
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
    open: withLine((l) => open(store, l, 'text')),
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
    copy: withLine((l) => void copy(l.citation)),
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
