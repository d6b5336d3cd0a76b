import { effect, type Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n';
import type { Player } from '../sound/player';
import { lengthOf, wholeClock } from '../sound/time';
import { Scope } from '../ui/scope';
import { shownTheme } from '../ui/theme';
import { inkOf, inksOf, type Inks } from './paint';
import type { RecordingStore } from './store';
import { clamp, pan, spanOf, whole, zoom, type View } from './view';

/** Where there is speech in the whole recording, and which part of it is in view. */
export function Overview({ store, player, view }: { store: RecordingStore; player: Player; view: Signal<View> }) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const [b, c] = [box.current, canvas.current];
    if (!b || !c) return undefined;
    const scope = new Scope();
    let frame = 0;
    let inks = inksOf(b);
    const soon = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        paint(b, c, store, player, view.peek(), inks);
      });
    };
    scope.own(() => cancelAnimationFrame(frame));
    scope.own(effect(() => {
      void shownTheme.value;
      inks = inksOf(b);
      soon();
    }));
    scope.own(effect(() => {
      void [store.lines.value, store.samples.value, view.value, player.at.value];
      soon();
    }));
    const sized = new ResizeObserver(soon);
    sized.observe(b);
    scope.own(() => sized.disconnect());
    let holding = false;
    const move = (e: PointerEvent) => {
      const samples = store.samples.peek();
      const v = view.peek();
      const r = b.getBoundingClientRect();
      const middle = ((e.clientX - r.left) / Math.max(1, r.width)) * samples;
      view.value = clamp({ ...v, from: middle - (v.width * v.perPixel) / 2 }, samples);
    };
    scope.listen(b, 'pointerdown', (e) => {
      holding = true;
      b.setPointerCapture(e.pointerId);
      move(e);
    });
    scope.listen(b, 'pointermove', (e) => holding && move(e));
    scope.listen(b, 'pointerup', () => (holding = false));
    scope.listen(b, 'pointercancel', () => (holding = false));
    return () => scope.end();
  }, [store]);

  const samples = store.samples.value;
  const s = spanOf(view.value);
  const key = (e: KeyboardEvent) => {
    const v = view.value;
    const next: Record<string, () => View> = {
      ArrowLeft: () => pan(v, -v.width / 4, samples),
      ArrowRight: () => pan(v, v.width / 4, samples),
      PageUp: () => pan(v, -v.width, samples),
      PageDown: () => pan(v, v.width, samples),
      Home: () => clamp({ ...v, from: 0 }, samples),
      End: () => clamp({ ...v, from: samples }, samples),
      '+': () => zoom(v, 2, v.width / 2, samples),
      '-': () => zoom(v, 0.5, v.width / 2, samples),
      '0': () => whole(v, samples),
    };
    const f = next[e.key];
    if (!f || e.ctrlKey || e.altKey || e.metaKey) return;
    e.preventDefault();
    view.value = f();
  };
  return (
    <div
      ref={box} class="overview" role="slider" tabindex={0} aria-label={t.value.recording.overview} aria-valuemin={0} aria-valuemax={Math.round(samples / 16_000)}
      aria-valuenow={Math.round(Math.max(0, s.from) / 16_000)} aria-valuetext={`${wholeClock(Math.max(0, s.from))} – ${wholeClock(Math.min(samples, s.to))}`} onKeyDown={key}
    >
      <canvas ref={canvas} aria-hidden="true" />
    </div>
  );
}

function paint(box: HTMLElement, canvas: HTMLCanvasElement, store: RecordingStore, player: Player, v: View, inks: Inks): void {
  const scale = devicePixelRatio || 1;
  const [width, height] = [box.clientWidth, box.clientHeight];
  const samples = store.samples.peek();
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const c = canvas.getContext('2d');
  if (!c || samples === 0) return;
  c.scale(scale, scale);
  const x = (sample: number) => (sample / samples) * width;
  const loudest = Math.max(1, ...store.lines.peek().map((l) => l.snr_db));
  for (const l of store.lines.peek()) {
    c.fillStyle = inkOf(l, inks);
    const h = (0.35 + 0.6 * Math.max(0, l.snr_db / loudest)) * (height - 4);
    c.fillRect(x(l.span.from), height - 2 - h, Math.max(1, x(lengthOf(l.span))), h);
  }
  const s = spanOf(v);
  const [a, b] = [Math.max(0, x(s.from)), Math.min(width, x(s.to))];
  c.fillStyle = inks.focus;
  c.globalAlpha = 0.16;
  c.fillRect(a, 0, b - a, height);
  c.globalAlpha = 1;
  c.strokeStyle = inks.focus;
  c.strokeRect(a + 0.5, 0.5, Math.max(2, b - a - 1), height - 1);
  c.fillStyle = inks.alert;
  c.fillRect(x(player.at.peek()), 0, 1, height);
}
