import { expect, test } from 'vitest';
import { rate } from '../sound/time';
import { bringIn, clamp, fit, pan, ticks, toSample, toX, whole, zoom, type View } from './view';

const hour = 3600 * rate;
const v: View = { from: 100 * rate, perPixel: 160, width: 1000 };

test('pixels and samples are each other\'s', () => {
  expect(toX(v, 101 * rate)).toBe(100);
  expect(toSample(v, 100)).toBe(101 * rate);
});

test('a zoom keeps what is under the pointer there', () => {
  const z = zoom(v, 2, 250, hour);
  expect(toSample(z, 250)).toBe(toSample(v, 250));
  expect(z.perPixel).toBe(80);
});

test('a view never leaves the recording', () => {
  expect(pan(v, -1e9, hour).from).toBe(0);
  const end = pan(v, 1e9, hour);
  expect(end.from + end.width * end.perPixel).toBe(hour);
  expect(zoom(v, 1e-9, 500, hour)).toEqual(whole(v, hour));
  expect(zoom(v, 1e9, 500, hour).perPixel).toBe(16);
  expect(clamp({ from: 5, perPixel: 100, width: 1000 }, 10)).toEqual({ from: 0, perPixel: 16, width: 1000 });
});

test('a transmission is shown whole, with sound around it', () => {
  const f = fit(v, { from: 200 * rate, to: 204 * rate }, hour);
  expect([f.from, f.from + f.width * f.perPixel]).toEqual([199 * rate, 205 * rate]);
});

test('what is in view stays where it is', () => {
  expect(bringIn(v, { from: 101 * rate, to: 102 * rate }, hour)).toBe(v);
  expect(bringIn(v, { from: 500 * rate, to: 502 * rate }, hour).from).toBe(496 * rate);
});

test('the ruler has even times', () => {
  const t = ticks(v);
  expect(t.step).toBe(rate);
  expect(t.samples[0]).toBe(100 * rate);
  expect(t.samples.length).toBe(11);
  expect(ticks(whole(v, 24 * hour)).step).toBe(4 * hour);
});
