import type { Hour } from '../api/types';

export interface Bar {
  from: string; // 2022-02-27T14:00, by the recordings' own clocks
  to: string;
  count: number;
}

const most = 120;
const widths = [1, 2, 3, 6, 12, 24, 48, 168, 336, 720];

const ms = 3_600_000;
const parse = (hour: string) => Date.parse(`${hour}:00:00Z`);
const write = (t: number) => new Date(t).toISOString().slice(0, 16);

/** Bars of equal width, silence among them, as many as can be told apart. */
export function bars(hours: Hour[]): Bar[] {
  const known = hours.filter((h) => !Number.isNaN(parse(h.hour)));
  const first = known[0];
  if (!first) return [];
  const times = known.map((h) => parse(h.hour));
  const [low, high] = [Math.min(...times), Math.max(...times)];
  const width = (widths.find((w) => (high - low) / ms / w < most) ?? Math.ceil((high - low) / ms / most)) * ms;
  const begin = Math.floor(low / width) * width;
  const out: Bar[] = [];
  for (let t = begin; t <= high; t += width) out.push({ from: write(t), to: write(t + width), count: 0 });
  known.forEach((h, i) => {
    const bar = out[Math.floor(((times[i] ?? 0) - begin) / width)];
    if (bar) bar.count += h.count;
  });
  return out;
}
