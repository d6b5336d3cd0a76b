import { expect, test, vi } from 'vitest';
import { Tiles } from './tiles';

const bytes = new Uint8Array(4);
const idle = () => new Promise((resolve) => setTimeout(resolve, 1));

test('a tile is fetched once, and no more than four at a time', async () => {
  let most = 0;
  let now = 0;
  const fetch = vi.fn(async () => {
    most = Math.max(most, ++now);
    await idle();
    now--;
    return bytes;
  });
  const changed = vi.fn();
  const tiles = new Tiles(fetch, changed);
  const list = Array.from({ length: 10 }, (_, tile) => ({ kind: 'peaks' as const, level: 0, tile }));
  tiles.want(list);
  tiles.want(list);
  await new Promise((resolve) => setTimeout(resolve, 40));
  expect(fetch).toHaveBeenCalledTimes(10);
  expect(most).toBe(4);
  expect(changed).toHaveBeenCalledTimes(10);
  expect(tiles.peek('peaks', 0, 9)).toBe(bytes);
  tiles.end();
});

test('what is no longer wanted is given up', async () => {
  let aborted = 0;
  const tiles = new Tiles((_k, _l, _t, signal) => new Promise((_, reject) => signal.addEventListener('abort', () => {
    aborted++;
    reject(new DOMException('', 'AbortError'));
  })), () => undefined);
  tiles.want([{ kind: 'peaks', level: 0, tile: 1 }]);
  tiles.want([]);
  await idle();
  expect(aborted).toBe(1);
});

test('a tile that is not drawn yet is asked for again, later', async () => {
  let clock = 0;
  const fetch = vi.fn(() => Promise.resolve<Uint8Array | null>(null));
  const tiles = new Tiles(fetch, () => undefined, 10, () => clock);
  const one = [{ kind: 'spectrogram' as const, level: 3, tile: 0 }];
  tiles.want(one);
  await idle();
  tiles.want(one);
  expect(fetch).toHaveBeenCalledTimes(1);
  clock = 2000;
  tiles.want(one);
  expect(fetch).toHaveBeenCalledTimes(2);
  tiles.end();
});

test('the oldest are dropped', async () => {
  const tiles = new Tiles(() => Promise.resolve(bytes), () => undefined, 2);
  for (const tile of [0, 1, 2]) {
    tiles.want([{ kind: 'peaks', level: 0, tile }]);
    await idle();
  }
  expect(tiles.peek('peaks', 0, 0)).toBeNull();
  expect(tiles.peek('peaks', 0, 2)).toBe(bytes);
});
