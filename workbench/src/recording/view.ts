// Which stretch of a recording is in view, and where things stand in it. Arithmetic only.

import type { Span } from '../api/types';
import { rate } from '../sound/time';

/** `from` is the sample at the left edge. */
export interface View {
  from: number;
  perPixel: number; // samples
  width: number; // pixels
}

const closest = 16; // samples a pixel: a column of the finest picture is then 8 pixels wide

export const toX = (v: View, sample: number) => (sample - v.from) / v.perPixel;
export const toSample = (v: View, x: number) => v.from + x * v.perPixel;
export const spanOf = (v: View): Span => ({ from: v.from, to: v.from + v.width * v.perPixel });

/** The view as near to what was wanted as the recording allows. */
export function clamp(v: View, samples: number): View {
  const widest = Math.max(closest, samples / Math.max(1, v.width));
  const perPixel = Math.min(widest, Math.max(closest, v.perPixel));
  const most = Math.max(0, samples - v.width * perPixel);
  return { ...v, perPixel, from: Math.min(most, Math.max(0, v.from)) };
}

export const whole = (v: View, samples: number): View => clamp({ ...v, from: 0, perPixel: Infinity }, samples);

/** Zooms by a factor (above 1: closer) around a pixel, whose sample stays under it. */
export function zoom(v: View, factor: number, x: number, samples: number): View {
  const perPixel = clamp({ ...v, perPixel: v.perPixel / factor }, samples).perPixel;
  return clamp({ ...v, perPixel, from: toSample(v, x) - x * perPixel }, samples);
}

export const pan = (v: View, pixels: number, samples: number): View => clamp({ ...v, from: v.from + pixels * v.perPixel }, samples);

/** Shows a span with some sound around it. */
export function fit(v: View, s: Span, samples: number): View {
  const length = Math.max(s.to - s.from, rate / 2) * 1.5;
  return clamp({ ...v, perPixel: length / Math.max(1, v.width), from: (s.from + s.to) / 2 - length / 2 }, samples);
}

/** Moves as little as is needed to have a span in view; a span wider than the view begins at its left. */
export function bringIn(v: View, s: Span, samples: number): View {
  const room = v.width * v.perPixel;
  if (s.from >= v.from && s.to <= v.from + room) return v;
  const length = s.to - s.from;
  return clamp({ ...v, from: length > room * 0.9 ? s.from - room * 0.05 : s.from - (room - length) / 2 }, samples);
}

const steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600].map((s) => s * rate);

/** Where the ruler has its marks: even times, no closer than a label is wide. */
export function ticks(v: View, room = 90): { samples: number[]; step: number } {
  const step = steps.find((s) => s / v.perPixel >= room) ?? 43_200 * rate;
  const samples: number[] = [];
  const end = v.from + v.width * v.perPixel;
  for (let s = Math.ceil(v.from / step) * step; s <= end; s += step) samples.push(Math.round(s));
  return { samples, step };
}
