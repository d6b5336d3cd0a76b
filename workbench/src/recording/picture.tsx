import { effect, signal, useComputed, useSignal, type Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import * as api from '../api/client';
import type { Span } from '../api/types';
import { t } from '../i18n';
import { lineAt, lineID } from '../lines/order';
import { plain } from '../lines/text';
import type { Player } from '../sound/player';
import { Scope } from '../ui/scope';
import { density, shownTheme } from '../ui/theme';
import { colourTable, floorOf } from './colours';
import { moveEdge } from './cuts';
import { lanesOf, type Lane } from './lanes';
import { Coloured, inksOf, laneTop, paintFrequencies, paintHead, paintLane, paintRuler, paintSpan, paintSpectrum, paintWave, type Bands } from './paint';
import type { RecordingStore } from './store';
import { levelFor, tileSamples, tilesIn } from './tile';
import { Tiles } from './tiles';
import { pan, spanOf, toSample, toX, whole, zoom, type View } from './view';

interface Props {
  store: RecordingStore;
  player: Player;
  view: Signal<View>;
  gain: Signal<number>;
}

const bandsFor = (width: number): Bands => (width < 560 ? { ruler: 20, wave: 44, spectrum: 64, lane: 16 } : { ruler: 22, wave: 76, spectrum: 120, lane: 16 });
const edgeReach = 5; // pixels around an edge that take hold of it

/** The sound as one sees it. Screen readers are spared it: the list has the same facts. */
export function Picture({ store, player, view, gain }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const lanes = useComputed(() => lanesOf(store.lines.value));
  const bands = useSignal<Bands>(bandsFor(1200));
  const height = useComputed(() => laneTop(bands.value) + lanes.value.length * bands.value.lane);
  // Drawn anew for every recording.
  useEffect(() => {
    const [b, c] = [box.current, canvas.current];
    if (!b || !c) return undefined;
    const scope = new Scope();
    const screen = new Screen(b, c, { store, player, view, gain }, lanes, bands);
    scope.own(() => screen.end());
    listenToPointer(c, scope, { store, player, view, gain }, bands);
    return () => scope.end();
  }, [store]);
  return (
    <div class="picture" aria-hidden="true">
      <div class="lane-names" style={{ paddingTop: `${laneTop(bands.value)}px` }}>
        {lanes.value.map((l) => <div key={l.kind + l.name} class="lane-name" style={{ height: `${bands.value.lane}px`, lineHeight: `${bands.value.lane}px` }} dir="auto">{laneName(l)}</div>)}
      </div>
      <div ref={box} class="picture-box" style={{ height: `${height.value}px` }}><canvas ref={canvas} /></div>
    </div>
  );
}

function laneName(l: Lane): string {
  switch (l.kind) {
    case 'station':
      return plain(l.name);
    case 'unknown':
      return t.value.recording.unknownStation;
    case 'others':
      return t.value.recording.others;
    case 'state':
      return t.value.line.sounds[l.name] ?? t.value.line.states[l.name] ?? l.name;
  }
}

/** Draws at most once a frame, and only when something that is shown has changed. */
class Screen {
  private readonly scope = new Scope();
  private readonly tiles: Tiles;
  private readonly coloured = new Coloured();
  private readonly floor = signal(60);
  private floorKnown = false;
  private frame = 0;
  private inks;

  constructor(
    private readonly box: HTMLElement,
    private readonly canvas: HTMLCanvasElement,
    private readonly p: Props,
    private readonly lanes: { readonly value: Lane[] },
    private readonly bands: Signal<Bands>,
  ) {
    this.inks = inksOf(box);
    const { store, player, view, gain } = p;
    this.tiles = new Tiles((kind, level, tile, signal) => api.tile(store.id, kind, level, tile, signal), () => this.invalidate());
    this.scope.own(() => this.tiles.end());
    this.scope.own(() => cancelAnimationFrame(this.frame));
    const sized = new ResizeObserver(() => this.resize());
    sized.observe(box);
    this.scope.own(() => sized.disconnect());
    this.scope.own(effect(() => {
      void shownTheme.value;
      void density.value;
      this.coloured.setTable(colourTable(shownTheme.value, gain.value, this.floor.value));
      this.inks = inksOf(box);
      this.invalidate();
    }));
    this.scope.own(effect(() => {
      void [view.value, player.at.value, store.active.value, store.selection.value, store.lines.value, store.recording.value, lanes.value, bands.value];
      this.invalidate();
    }));
  }

  end(): void {
    this.scope.end();
  }

  invalidate(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.paint();
    });
  }

  private resize(): void {
    const width = this.box.clientWidth;
    this.bands.value = bandsFor(width);
    const { view, store } = this.p;
    const old = view.peek();
    if (old.width !== width) view.value = old.width === 0 ? whole({ ...old, width }, store.samples.peek()) : { ...old, width };
    this.invalidate();
  }

  private paint(): void {
    const { store, player, view, gain } = this.p;
    const v = view.peek();
    const samples = store.samples.peek();
    const levels = store.recording.peek()?.levels ?? 0;
    const scale = devicePixelRatio || 1;
    const [width, height] = [v.width, this.box.clientHeight];
    if (width === 0 || height === 0) return;
    if (this.canvas.width !== Math.round(width * scale) || this.canvas.height !== Math.round(height * scale)) {
      this.canvas.width = Math.round(width * scale);
      this.canvas.height = Math.round(height * scale);
    }
    const c = this.canvas.getContext('2d', { alpha: false });
    if (!c) return;
    c.setTransform(scale, 0, 0, scale, 0, 0);
    c.imageSmoothingEnabled = true;
    c.fillStyle = this.inks.paper;
    c.fillRect(0, 0, width, height);
    const b = this.bands.peek();
    if (levels > 0) {
      this.wantTiles(v, levels, samples);
      this.findFloor(levels, samples);
      paintSpectrum(c, v, this.tiles, this.coloured, levels, samples, b.ruler + b.wave, b.spectrum, this.inks);
    }
    paintRuler(c, v, b, height, this.inks);
    if (levels > 0) paintWave(c, v, this.tiles, levels, samples, b.ruler, b.wave, gain.peek(), this.inks);
    if (levels > 0) paintFrequencies(c, b.ruler + b.wave, b.spectrum, this.inks);
    this.lanes.value.forEach((lane, i) => paintLane(c, v, lane.lines, laneTop(b) + i * b.lane, b.lane, store.active.peek(), this.inks));
    const line = store.line.peek();
    if (line) paintSpan(c, v, line.span, height, this.inks.focus, 0.14);
    const selection = store.selection.peek();
    if (selection) paintSpan(c, v, selection, height, this.inks.doubt, 0.18);
    paintHead(c, v, player.at.peek(), height, this.inks);
  }

  // The receiver's noise, once something of the recording is here: near its middle, as the ends are often silent.
  private findFloor(levels: number, samples: number): void {
    if (this.floorKnown) return;
    for (let level = 0; level < levels; level++) {
      const bytes = this.tiles.peek('spectrogram', level, Math.floor(samples / 2 / tileSamples(level))) ?? this.tiles.peek('spectrogram', level, tilesIn(spanOf(this.p.view.peek()), level, samples)[0] ?? 0);
      if (!bytes) continue;
      this.floorKnown = level < levels - 1 || levels === 1; // the coarsest shows the loudest of everything: only until a finer one is here
      this.floor.value = floorOf(bytes);
      return;
    }
  }

  private wantTiles(v: View, levels: number, samples: number): void {
    const level = levelFor(v, levels);
    const seen = tilesIn(spanOf(v), level, samples);
    const near = [(seen[0] ?? 0) - 1, (seen.at(-1) ?? 0) + 1].filter((n) => tilesIn({ from: 0, to: samples }, level, samples).includes(n));
    const list = seen.flatMap((tile) => [{ kind: 'peaks' as const, level, tile }, { kind: 'spectrogram' as const, level, tile }]);
    // One coarse tile stands in for everything while finer ones are on their way.
    list.unshift({ kind: 'spectrogram', level: levels - 1, tile: 0 }, { kind: 'peaks', level: levels - 1, tile: 0 });
    for (const tile of near) list.push({ kind: 'peaks', level, tile }, { kind: 'spectrogram', level, tile });
    this.tiles.want(list);
  }
}

type Hold =
  | { kind: 'pan'; x: number; moved: boolean; view: View }
  | { kind: 'select'; from: number }
  | { kind: 'edge'; edge: 'from' | 'to' };

function listenToPointer(canvas: HTMLCanvasElement, scope: Scope, { store, player, view }: Props, bands: Signal<Bands>): void {
  let hold: Hold | null = null;
  const at = (e: PointerEvent | WheelEvent) => e.clientX - canvas.getBoundingClientRect().left;
  const edgeAt = (x: number): 'from' | 'to' | null => {
    const s = store.line.peek()?.span;
    if (!s) return null;
    const v = view.peek();
    const [a, b] = [toX(v, s.from), toX(v, s.to)];
    if (b - a < 4 * edgeReach) return null; // too narrow to take hold of one edge rather than of the other
    return Math.abs(x - a) <= edgeReach ? 'from' : Math.abs(x - b) <= edgeReach ? 'to' : null;
  };

  scope.listen(canvas, 'pointerdown', (e) => {
    if (e.button !== 0) return;
    const x = at(e);
    canvas.setPointerCapture(e.pointerId);
    const edge = edgeAt(x);
    if (e.shiftKey) hold = { kind: 'select', from: toSample(view.peek(), x) };
    else if (edge) hold = { kind: 'edge', edge };
    else hold = { kind: 'pan', x, moved: false, view: view.peek() };
  });
  scope.listen(canvas, 'pointermove', (e) => {
    const x = at(e);
    const samples = store.samples.peek();
    if (!hold) {
      canvas.style.cursor = edgeAt(x) ? 'ew-resize' : 'default';
      return;
    }
    const sample = Math.max(0, Math.min(samples, toSample(view.peek(), x)));
    if (hold.kind === 'pan') {
      if (Math.abs(x - hold.x) > 3) hold.moved = true;
      if (hold.moved) view.value = pan(hold.view, hold.x - x, samples);
    } else if (hold.kind === 'select') {
      store.selection.value = ordered(hold.from, sample);
    } else {
      const s = store.line.peek()?.span;
      if (s) store.selection.value = ordered(sample, hold.edge === 'from' ? s.to : s.from);
    }
  });
  scope.listen(canvas, 'pointerup', (e) => {
    const held = hold;
    hold = null;
    if (!held) return;
    const sample = Math.round(Math.max(0, Math.min(store.samples.peek(), toSample(view.peek(), at(e)))));
    if (held.kind === 'pan' && !held.moved) {
      store.selection.value = null;
      const line = lineAt(store.lines.peek(), sample);
      const inLanes = e.offsetY >= laneTop(bands.peek());
      if (line && lineID(line.span) !== store.active.peek()) store.goTo(line);
      player.seek(inLanes && line ? line.span.from : sample);
    } else if (held.kind === 'edge') {
      store.selection.value = null;
      const line = store.line.peek();
      const cut = line && moveEdge(store.lines.peek(), line, held.edge, sample, store.samples.peek());
      if (cut) store.change(cut);
    }
  });
  scope.listen(canvas, 'pointercancel', () => {
    hold = null;
  });
  scope.listen(canvas, 'wheel', (e) => {
    e.preventDefault();
    const samples = store.samples.peek();
    const unit = e.deltaMode === 1 ? 30 : 1;
    if (e.ctrlKey) view.value = zoom(view.peek(), Math.exp((-e.deltaY * unit) / 250), at(e), samples);
    else view.value = pan(view.peek(), (Math.abs(e.deltaX) > Math.abs(e.deltaY) ? e.deltaX : e.deltaY) * unit, samples);
  }, { passive: false });
}

const ordered = (a: number, b: number): Span => ({ from: Math.round(Math.min(a, b)), to: Math.round(Math.max(a, b)) });
