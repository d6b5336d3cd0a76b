// How the workbench fares on a recording of 24 hours with 1,600 transmissions. It prints what it measured beside the aims, and
// fails only far beyond them: a busy machine must not make it fail. What is no matter of time is held to the aim itself.
//
// EARWITNESS_SHORT=1 takes two hours; EARWITNESS_LONG_CASE=DIR takes a case that bench/longcase made before.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, describe, expect, test } from 'vitest';
import type { LinesView, RecordingView } from '../src/api/types';
import { api, closeBrowser, Desk, enter, missing } from './desk';

const why = missing();
if (why) console.warn(`browser tests are skipped: ${why}`);

const short = process.env['EARWITNESS_SHORT'] === '1';
const size = short ? { hours: 2, transmissions: 150 } : { hours: 24, transmissions: 1600 };
const slack = 3; // times the aim, for what depends on the machine

const scratch = mkdtempSync(join(tmpdir(), 'earwitness-long-'));
afterAll(async () => {
  await closeBrowser();
  rmSync(scratch, { recursive: true, force: true });
});

interface Figure {
  what: string;
  got: string;
  aim: string;
}
const figures: Figure[] = [];
const note = (what: string, got: string, aim = ''): void => void figures.push({ what, got, aim });
const ms = (n: number) => `${Math.round(n)} ms`;

function table(): string {
  const head = `${size.hours} h, ${size.transmissions} transmissions; ${cpus().length} processors, load ${(loadavg()[0] ?? 0).toFixed(1)} at the end`;
  return [head, '', '| what | figure | aim |', '|---|---|---|', ...figures.map((f) => `| ${f.what} | ${f.got} | ${f.aim} |`)].join('\n');
}

function longCase(): string {
  const made = process.env['EARWITNESS_LONG_CASE'];
  if (made) return made;
  const dir = join(scratch, 'long.case');
  const began = performance.now();
  const root = resolve(import.meta.dirname, '../..');
  // At 16 kHz, as its pictures are drawn four times as fast then, and the browser is given the same.
  execFileSync('go', ['run', './bench/longcase', '-rate', '16000', '-hours', String(size.hours), '-transmissions', String(size.transmissions), dir], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  note('making the case', `${((performance.now() - began) / 1000).toFixed(1)} s`);
  return dir;
}

/** What the page writes down about itself, from before its own code runs. */
interface Stamps {
  rows: number; // ms since the navigation began: the first rows are on the screen
  moved: number; // the key that was pressed then has moved to another line
  keys: number[]; // ms from each press of a key until after the next frame
  frames: number[]; // times between frames, while `counting`
  views: number; // how often the picture showed other seconds, while `counting`
  counting: boolean;
}
declare global {
  interface Window {
    stamps: Stamps;
  }
}

async function watch(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const s: Stamps = { rows: 0, moved: 0, keys: [], frames: [], views: 0, counting: false };
    window.stamps = s;
    // A task that is posted from a frame runs after that frame was drawn.
    const channel = new MessageChannel();
    const after: (() => void)[] = [];
    channel.port1.onmessage = () => after.splice(0).forEach((f) => f());
    const afterFrame = (f: () => void) => requestAnimationFrame(() => {
      after.push(f);
      channel.port2.postMessage(0);
    });
    let last = 0;
    let first = '';
    let seen = '';
    const selected = () => document.querySelector('[role=row][aria-selected=true]')?.getAttribute('aria-rowindex') ?? '';
    const frame = (now: number) => {
      if (s.counting) {
        if (last > 0) s.frames.push(now - last);
        const view = document.querySelector('.overview')?.getAttribute('aria-valuetext') ?? '';
        if (view !== seen) s.views++;
        seen = view;
      }
      last = s.counting ? now : 0;
      if (s.rows === 0 && document.querySelectorAll('[role=row][aria-selected]').length >= 5 && selected() !== '') {
        first = selected();
        afterFrame(() => (s.rows = performance.now()));
      } else if (s.rows > 0 && s.moved === 0 && selected() !== first) {
        afterFrame(() => (s.moved = performance.now()));
      }
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    // From when the browser was given the key, not from when the page came to it.
    addEventListener('keydown', (e) => afterFrame(() => s.keys.push(performance.now() - e.timeStamp)), { capture: true });
  });
}

interface Arrival {
  rows: number;
  moved: number;
  picture: number;
}

/** Opens the recording and moves on by a key as soon as there are rows. */
async function arrive(page: Page): Promise<Arrival> {
  await page.goto(new URL('/r/REC-0001', page.url()).toString(), { waitUntil: 'commit' });
  await page.waitForFunction(() => window.stamps.rows > 0, undefined, { polling: 'raf' });
  // A key counts once it is heard: until then it is pressed again, as a person would.
  const moved = () => page.waitForFunction(() => window.stamps.moved > 0, undefined, { polling: 'raf', timeout: 200 }).then(() => true, () => false);
  for (let tries = 0; tries < 50; tries++) {
    await page.keyboard.press('j');
    if (await moved()) break;
  }
  await page.waitForTimeout(1500);
  return page.evaluate(() => {
    const tiles = performance.getEntriesByType('resource').filter((e): e is PerformanceResourceTiming => e instanceof PerformanceResourceTiming && /\/(peaks|spectrogram)\//.test(e.name) && e.responseStatus === 200);
    return { rows: window.stamps.rows, moved: window.stamps.moved, picture: Math.max(0, ...tiles.map((e) => e.responseEnd)) };
  });
}

async function drawn(page: Page): Promise<number> {
  const began = performance.now();
  for (;;) {
    if (performance.now() - began > 300_000) throw new Error('the pictures are not drawn after five minutes');
    const r = await api<RecordingView>(page, '/api/recordings/REC-0001');
    if (r.drawn >= r.samples) return performance.now() - began;
    await page.waitForTimeout(250);
  }
}

const share = (sorted: number[], p: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? NaN;

/** Presses keys, each once the last has been drawn, and says how long each took. */
async function press(page: Page, keys: string[]): Promise<number[]> {
  await page.evaluate(() => (window.stamps.keys = []));
  for (const [i, key] of keys.entries()) {
    await page.keyboard.press(key);
    await page.waitForFunction((n) => window.stamps.keys.length >= n, i + 1, { polling: 'raf' });
  }
  return (await page.evaluate(() => window.stamps.keys)).sort((a, b) => a - b);
}

interface Motion {
  fps: number;
  worst: number;
  views: number;
}

/** Counts frames while something is done for some seconds. */
async function motion(page: Page, seconds: number, step: (n: number) => Promise<void>): Promise<Motion> {
  await page.evaluate(() => Object.assign(window.stamps, { frames: [], views: 0, counting: true }));
  const until = performance.now() + seconds * 1000;
  for (let n = 0; performance.now() < until; n++) {
    await step(n);
    await page.waitForTimeout(8);
  }
  const { frames, views } = await page.evaluate(() => {
    window.stamps.counting = false;
    return window.stamps;
  });
  const sum = frames.reduce((a, b) => a + b, 0);
  return { fps: (frames.length * 1000) / sum, worst: Math.max(...frames), views };
}

/** Moves the picture by wheel, then by dragging, there and back. */
async function panning(page: Page): Promise<Motion[]> {
  const box = await page.locator('.picture-box').boundingBox();
  if (!box) throw new Error('there is no picture');
  const [left, y] = [box.x + box.width * 0.25, box.y + box.height / 2];
  await page.mouse.move(left, y);
  const wheel = await motion(page, 2.5, (n) => page.mouse.wheel(n % 160 < 80 ? 60 : -60, 0));
  await page.mouse.down();
  const drag = await motion(page, 2.5, (n) => page.mouse.move(left + box.width * 0.5 * Math.abs(((n / 60) % 2) - 1), y));
  await page.mouse.up();
  return [wheel, drag];
}

/** The scripts that the page loads before anything else, gzipped, in bytes; those that come when they are needed do not count. */
async function firstScripts(page: Page): Promise<number> {
  const html = await (await page.request.get(new URL('/', page.url()).toString())).text();
  const paths = [...html.matchAll(/<(?:script|link)\b[^>]*\b(?:src|href)="([^"]+\.js)"/g)].flatMap((m) => (m[1] ? [m[1]] : []));
  expect(paths.length).toBeGreaterThan(0);
  let bytes = 0;
  for (const path of paths) bytes += gzipSync(await (await page.request.get(new URL(path, page.url()).toString())).body()).length;
  return bytes;
}

describe.skipIf(why !== '')('a recording of a day', () => {
  test('is worked on as a short one is', async () => {
    const dir = longCase();
    let desk = await Desk.serve(dir);
    try {
      // The program was started this moment, has drawn nothing, and draws while one is looking.
      const cold = await enter(desk);
      await watch(cold.context);
      const coldly = await arrive(cold.page);
      note('opened, pictures not drawn: first rows', ms(coldly.rows), '1,000 ms');
      note('the same: a key has moved on', ms(coldly.moved), '1,000 ms');
      let requests = 0;
      cold.page.on('request', () => requests++);
      const drawing = (await drawn(cold.page)) / 1000;
      note('drawing the pictures, once, after that', `${drawing.toFixed(1)} s`);
      const asked = requests / Math.max(1, drawing);
      note('requests of the page while they are drawn', `${asked.toFixed(1)} a second`, '20 a second');
      expect(cold.trouble.all).toEqual([]);
      await cold.context.close();
      await desk.close();

      desk = await Desk.serve(dir);
      const { page, trouble, context } = await enter(desk);
      await watch(context);
      await drawn(page);
      const arrivals: Arrival[] = [];
      for (let i = 0; i < 3; i++) arrivals.push(await arrive(page));
      const middle = (of: (a: Arrival) => number) => share(arrivals.map(of).sort((a, b) => a - b), 0.5);
      note('opened, pictures drawn: first rows', ms(middle((a) => a.rows)), '1,000 ms');
      note('the same: a key has moved on', ms(middle((a) => a.moved)), '1,000 ms');
      note('the same: the picture in view is there', ms(middle((a) => a.picture)));

      const answer = await page.request.get(new URL('/api/recordings/REC-0001/lines', page.url()).toString());
      const body = await answer.body();
      const view = JSON.parse(body.toString()) as LinesView;
      expect(view.lines.length).toBe(size.transmissions);
      note('its lines as JSON', `${Math.round(body.length / 1000)} kB, ${Math.round(gzipSync(body).length / 1000)} gzipped`);

      const keys = await press(page, [...Array<string>(100).fill('j'), ...Array<string>(100).fill('k')]);
      note('key to after the next frame, 200 of j and k: median', ms(share(keys, 0.5)));
      note('the same: 95 of 100', ms(share(keys, 0.95)), '50 ms');
      const leaps = await press(page, Array.from({ length: 20 }, (_, i) => (i % 2 ? 'Home' : 'End')));
      note('End and Home of the list, 20: median, worst', `${ms(share(leaps, 0.5))}, ${ms(leaps.at(-1) ?? NaN)}`);

      const panned: Motion[] = [];
      let closer = 0;
      for (const steps of short ? [2, 5, 8] : [2, 5, 8, 11]) {
        if (closer === 0) await press(page, ['0']);
        for (; closer < steps; closer++) await press(page, ['+']);
        await page.waitForTimeout(500);
        const [wheel, drag] = await panning(page);
        if (!wheel || !drag) throw new Error('nothing was moved');
        panned.push(wheel, drag);
        expect(Math.min(wheel.views, drag.views), 'the picture stood still').toBeGreaterThan(20);
        const inView = (size.hours * 3600) / 2 ** steps;
        note(`panning, ${inView >= 120 ? `${Math.round(inView / 60)} min` : `${Math.round(inView)} s`} in view: by wheel, by dragging`, `${wheel.fps.toFixed(1)}, ${drag.fps.toFixed(1)} fps (slowest frame ${ms(Math.max(wheel.worst, drag.worst))})`, '55 fps');
      }
      const list = await page.locator('[role=grid]').boundingBox();
      if (!list) throw new Error('there is no list');
      await page.mouse.move(list.x + 200, list.y + list.height / 2);
      const scrolled = await motion(page, 5, (n) => page.mouse.wheel(0, n % 400 < 300 ? 300 : -300));
      note('scrolling the list', `${scrolled.fps.toFixed(1)} fps (slowest frame ${ms(scrolled.worst)})`, '55 fps');

      const protocol = await context.newCDPSession(page);
      await protocol.send('HeapProfiler.collectGarbage');
      await protocol.send('Performance.enable');
      const { metrics } = await protocol.send('Performance.getMetrics');
      const heap = (metrics.find((m) => m.name === 'JSHeapUsedSize')?.value ?? NaN) / 1e6;
      note('JavaScript heap afterwards', `${heap.toFixed(1)} MB`);
      const nodes = await page.evaluate(() => document.querySelectorAll('*').length);
      note('elements in the page', String(nodes));
      const scripts = await firstScripts(page);
      note('JavaScript loaded at first, gzipped', `${(scripts / 1000).toFixed(1)} kB`, '60 kB');

      expect(trouble.all).toEqual([]);
      expect(asked).toBeLessThan(20);
      expect(coldly.moved).toBeLessThan(1000 * slack);
      expect(middle((a) => a.moved)).toBeLessThan(1000 * slack);
      expect(share(keys, 0.95)).toBeLessThan(50 * slack);
      for (const m of [...panned, scrolled]) expect(m.fps).toBeGreaterThan(55 / slack);
      expect(heap).toBeLessThan(100);
      expect(nodes).toBeLessThan(2000); // as many as there are lines in view, not as there are lines
      expect(scripts).toBeLessThan(60_000);
    } finally {
      console.log(`\n${table()}\n`);
      await desk.close();
    }
  }, 600_000);
});
