// Draws what is in view onto a canvas. It decides nothing: what stands where is view.ts's and tile.ts's.

import type { LineView, Span } from '../api/types';
import { t } from '../i18n';
import { firstAfter, lineID } from '../lines/order';
import { shortClock, wholeClock, rate } from '../sound/time';
import { bins, columnSamples, heightOf, levelFor, tileColumns, tileSamples, tilesIn } from './tile';
import type { Tiles } from './tiles';
import { spanOf, ticks, toX, type View } from './view';

export interface Inks {
  ink: string;
  label: string;
  hairline: string;
  machine: string;
  verified: string;
  doubt: string;
  alert: string;
  focus: string;
  paper: string;
}

/** The colours of the theme, which only the browser can tell. */
export function inksOf(e: HTMLElement): Inks {
  const probe = document.createElement('span');
  e.append(probe);
  const of = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const inks: Inks = {
    ink: of('--ink'), label: of('--ink-3'), hairline: of('--hairline'), machine: of('--machine'), verified: of('--verified'), doubt: of('--doubt'),
    alert: of('--alert'), focus: of('--focus'), paper: of('--bg'),
  };
  probe.remove();
  return inks;
}

export interface Bands {
  ruler: number; // heights, from above
  wave: number;
  spectrum: number;
  lane: number; // each
}

export const laneTop = (b: Bands) => b.ruler + b.wave + b.spectrum;

export function paintRuler(c: CanvasRenderingContext2D, v: View, b: Bands, height: number, inks: Inks): void {
  const { samples, step } = ticks(v);
  c.font = '12px "IBM Plex Mono", monospace';
  c.textBaseline = 'middle';
  for (const s of samples) {
    const x = Math.round(toX(v, s)) + 0.5;
    c.strokeStyle = inks.hairline;
    c.beginPath();
    c.moveTo(x, 0);
    c.lineTo(x, height);
    c.stroke();
    c.fillStyle = inks.label;
    c.fillText(step < rate ? shortClock(s) : wholeClock(s), x + 4, b.ruler / 2);
  }
}

/** Draws the waveform. */
export function paintWave(c: CanvasRenderingContext2D, v: View, tiles: Tiles, levels: number, samples: number, top: number, height: number, gain: number, inks: Inks): void {
  const level = levelFor(v, levels);
  const middle = top + height / 2;
  const scale = (height / 2 / 128) * gain;
  c.fillStyle = inks.ink;
  c.globalAlpha = 0.25;
  c.fillRect(0, Math.round(middle), Math.min(v.width, toX(v, samples)), 1);
  c.globalAlpha = 1;
  c.beginPath();
  for (const n of tilesIn(spanOf(v), level, samples)) {
    const found = nearest(tiles, 'peaks', level, n, levels);
    if (!found) {
      hatch(c, toX(v, n * tileSamples(level)), top, tileSamples(level) / v.perPixel, height, inks);
      continue;
    }
    const { bytes, level: at, tile } = found;
    const low = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    const width = columnSamples(at);
    const begin = Math.max(v.from, n * tileSamples(level));
    const end = Math.min(v.from + v.width * v.perPixel, (n + 1) * tileSamples(level));
    const first = Math.max(0, Math.floor(begin / width) - tile * tileColumns);
    const last = Math.min(low.length / 2, Math.ceil(end / width) - tile * tileColumns);
    // Columns are up to half as wide as a pixel: those of one pixel are drawn as one.
    let [pixel, min, max] = [-1, 0, 0];
    const flush = () => {
      if (pixel < 0) return;
      const y = Math.max(top, middle - max * scale);
      c.rect(pixel, y, Math.max(1, Math.ceil(width / v.perPixel)), Math.max(1, Math.min(top + height, middle - min * scale) - y));
    };
    for (let i = first; i < last; i++) {
      const x = Math.max(0, Math.floor(toX(v, (tile * tileColumns + i) * width)));
      const [a, b] = [low[2 * i] ?? 0, low[2 * i + 1] ?? 0];
      if (x === pixel) {
        min = Math.min(min, a);
        max = Math.max(max, b);
      } else {
        flush();
        [pixel, min, max] = [x, a, b];
      }
    }
    flush();
  }
  c.fill();
}

/** Coloured tiles of a spectrogram, as many as fill a few screens. A change of colours begins it anew. */
export class Coloured {
  private readonly kept = new Map<Uint8Array, HTMLCanvasElement>();
  private table = new Uint32Array(256);

  setTable(table: Uint32Array<ArrayBuffer>): void {
    this.table = table;
    this.kept.clear();
  }

  of(bytes: Uint8Array): HTMLCanvasElement {
    let canvas = this.kept.get(bytes);
    if (canvas) return canvas;
    const columns = Math.max(1, Math.floor(bytes.length / bins));
    canvas = document.createElement('canvas');
    canvas.width = columns;
    canvas.height = bins;
    const c = canvas.getContext('2d');
    if (c) {
      const image = c.createImageData(columns, bins);
      const pixels = new Uint32Array(image.data.buffer);
      for (let x = 0; x < columns; x++) {
        for (let bin = 0; bin < bins; bin++) pixels[(bins - 1 - bin) * columns + x] = this.table[bytes[x * bins + bin] ?? 0] ?? 0;
      }
      c.putImageData(image, 0, 0);
    }
    this.kept.set(bytes, canvas);
    if (this.kept.size > 40) {
      const oldest = this.kept.keys().next().value;
      if (oldest) this.kept.delete(oldest);
    }
    return canvas;
  }
}

export function paintSpectrum(c: CanvasRenderingContext2D, v: View, tiles: Tiles, coloured: Coloured, levels: number, samples: number, top: number, height: number, inks: Inks): void {
  const level = levelFor(v, levels);
  for (const n of tilesIn(spanOf(v), level, samples)) {
    const size = tileSamples(level);
    const found = nearest(tiles, 'spectrogram', level, n, levels);
    if (!found) {
      hatch(c, toX(v, n * size), top, Math.min(size, samples - n * size) / v.perPixel, height, inks);
      continue;
    }
    const picture = coloured.of(found.bytes);
    const width = columnSamples(found.level);
    const from = (n * size) / width - found.tile * tileColumns;
    const columns = Math.min(size / width, picture.width - from);
    if (columns <= 0) continue;
    c.drawImage(picture, from, 0, columns, bins, toX(v, n * size), top, (columns * width) / v.perPixel, height);
  }
}

/** Names frequencies at the left of a spectrogram. */
export function paintFrequencies(c: CanvasRenderingContext2D, top: number, height: number, inks: Inks): void {
  c.font = '10px "IBM Plex Mono", monospace';
  c.textBaseline = 'middle';
  for (const kHz of [1, 2, 3]) {
    const y = top + height * (1 - heightOf(kHz * 1000));
    c.fillStyle = inks.paper;
    c.globalAlpha = 0.75;
    c.fillRect(0, y - 6, 40, 12);
    c.globalAlpha = 1;
    c.fillStyle = inks.label;
    c.fillRect(0, Math.round(y), 4, 1);
    c.fillText(t.value.units.khz(String(kHz)), 6, y);
  }
}

// The tile, or while it is on its way the coarser one that has the same sound in it.
function nearest(tiles: Tiles, kind: 'peaks' | 'spectrogram', level: number, n: number, levels: number): { bytes: Uint8Array; level: number; tile: number } | null {
  for (let up = 0; level + up < levels; up++) {
    const tile = n >> up;
    const bytes = tiles.peek(kind, level + up, tile);
    if (bytes) return { bytes, level: level + up, tile };
  }
  return null;
}

function hatch(c: CanvasRenderingContext2D, x: number, y: number, width: number, height: number, inks: Inks): void {
  c.save();
  c.beginPath();
  const left = Math.max(0, x);
  c.rect(left, y, Math.min(width + x - left, c.canvas.width), height);
  c.clip();
  c.strokeStyle = inks.hairline;
  c.beginPath();
  for (let at = left - height; at < Math.min(x + width, c.canvas.width); at += 12) {
    c.moveTo(at, y + height);
    c.lineTo(at + height, y);
  }
  c.stroke();
  c.restore();
}

export function inkOf(l: LineView, inks: Inks): string {
  switch (l.state) {
    case 'verified':
      return inks.verified;
    case 'corrected':
      return inks.ink;
    case 'disputed':
    case 'not understood':
      return inks.doubt;
    case 'failed':
      return inks.alert;
    default:
      return inks.machine;
  }
}

export function paintLane(c: CanvasRenderingContext2D, v: View, lines: LineView[], top: number, height: number, active: string, inks: Inks): void {
  c.fillStyle = inks.hairline;
  c.fillRect(0, top + height - 1, v.width, 1);
  const end = v.from + v.width * v.perPixel;
  for (let i = firstAfter(lines, v.from); i < lines.length; i++) {
    const l = lines[i];
    if (!l || l.span.from >= end) break;
    const x = toX(v, l.span.from);
    const width = Math.max(1.5, toX(v, l.span.to) - x);
    c.fillStyle = inkOf(l, inks);
    c.fillRect(x, top + 3, width, height - 7);
    if (lineID(l.span) === active) {
      c.strokeStyle = inks.focus;
      c.lineWidth = 2;
      c.strokeRect(x - 1, top + 2, width + 2, height - 5);
      c.lineWidth = 1;
    }
  }
}

export function paintSpan(c: CanvasRenderingContext2D, v: View, s: Span, height: number, colour: string, alpha: number): void {
  const x = toX(v, s.from);
  const width = Math.max(1, toX(v, s.to) - x);
  if (x > v.width || x + width < 0) return;
  c.fillStyle = colour;
  c.globalAlpha = alpha;
  c.fillRect(x, 0, width, height);
  c.globalAlpha = 1;
  c.fillRect(Math.round(x), 0, 1, height);
  c.fillRect(Math.round(x + width) - 1, 0, 1, height);
}

export function paintHead(c: CanvasRenderingContext2D, v: View, at: number, height: number, inks: Inks): void {
  const x = Math.round(toX(v, at));
  if (x < -5 || x > v.width + 5) return;
  c.fillStyle = inks.alert;
  c.fillRect(x, 0, 1, height);
  c.beginPath();
  c.moveTo(x - 4, 0);
  c.lineTo(x + 5, 0);
  c.lineTo(x + 0.5, 6);
  c.fill();
}
