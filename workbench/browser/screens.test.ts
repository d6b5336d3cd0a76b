// Every screen, in both themes and in every language: nothing that axe finds, no error in the console, no scrolling sideways, on a
// wide window and on one of 320 pixels. With EARWITNESS_SCREENS=1 it also takes their pictures into docs/screens.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Admit, Edit, EditDone, Invitation, LinesView, LineView, RecordingView, Span, StationsEdit } from '../src/api/types';
import { api, closeBrowser, demoCase, Desk, enter, missing, type Trouble } from './desk';

const why = missing();
if (why) console.warn(`browser tests are skipped: ${why}`);

const pictures = resolve(import.meta.dirname, '../../docs/screens');
const taking = process.env['EARWITNESS_SCREENS'] === '1';
const axeSource = readFileSync(resolve(import.meta.dirname, '../node_modules/axe-core/axe.min.js'), 'utf8');

const languages = { en: 'en-GB', uk: 'uk-UA', ru: 'ru-RU' } as const;
type Language = keyof typeof languages;
const themes = ['light', 'dark'] as const;

let desk: Desk;
let lines: LineView[];

let drawnID = 0;
const newID = () => (++drawnID).toString(16).padStart(32, '0');

async function post<T>(page: Page, path: string, body: unknown): Promise<T> {
  const answer = await page.request.post(new URL(path, page.url()).toString(), { data: body });
  if (!answer.ok()) throw new Error(`${path}: ${answer.status()} ${await answer.text()}`);
  return (await answer.json()) as T;
}

const edit = (page: Page, body: Omit<Edit, 'id'>) => post<EditDone>(page, '/api/recordings/REC-0001/edits', { id: newID(), ...body });

/** Writes the words of a line, and gives the line as it is then. */
async function write(page: Page, line: LineView, text: string, replaces = line.entry): Promise<LineView> {
  const done = await edit(page, { utterance: { span: line.span, text, language: 'ru', replaces } });
  const now = done.lines.find((l) => l.span.from === line.span.from);
  if (!now) throw new Error('the line is gone');
  return now;
}

const translate = (page: Page, line: LineView, text: string) => edit(page, { translation: { span: line.span, text, language: 'en', of: line.basis, replaces: 0 } });

function state(page: Page, span: Span, s: Omit<StationsEdit, 'span' | 'replaces'>): Promise<EditDone> {
  return edit(page, { stations: { span, replaces: 0, ...s } });
}

const nth = (i: number): LineView => {
  const l = lines[i];
  if (!l) throw new Error(`the demo has no line ${i} of speech`);
  return l;
};

/** Leaves the case as it is after some work: every state that a line can be in, stations on every basis, both marks. */
async function work(page: Page): Promise<void> {
  lines = (await api<LinesView>(page, '/api/recordings/REC-0001/lines')).lines.filter((l) => l.sound === 'speech' && l.text !== '');
  const corrected = await write(page, nth(0), 'Кедр, Кедр, я [Буря / Пурга], приём.');
  await translate(page, corrected, 'Kedr, Kedr, this is Burya, over.');
  const stale = await write(page, nth(1), 'Принял, Буря. Ждите.');
  await translate(page, stale, 'Copied, Burya. Stand by.');
  await write(page, stale, 'Принял, Буря. [inaudible 1.2 s] Ждите.', stale.entry);
  await write(page, nth(2), 'Да, слышу вас хорошо.');
  await write(page, nth(3), 'Колонна вышла.');
  await state(page, nth(0).span, { from: { call_sign: 'Буря', basis: 'self-identified' }, to: { call_sign: 'Кедр', basis: 'named' } });
  await state(page, nth(1).span, { from: { call_sign: 'Кедр', basis: 'voice' }, to: { call_sign: 'Буря', basis: 'named' } });
  await state(page, nth(2).span, { from: { call_sign: 'Днестр', basis: 'guessed' } });
  await edit(page, { mark: { span: nth(4).span, mark: 'distress', note: 'a wounded man calls out', off: false, replaces: 0 } });
  await edit(page, { mark: { span: nth(5).span, mark: 'return', note: '', off: false, replaces: 0 } });

  // A second listener agrees with one line and hears another one differently.
  const admit: Admit = { id: newID(), person: 'Oksana', role: 'reviewer', replaces: 0 };
  const { link } = await post<Invitation>(page, '/api/people', admit);
  const second = await enter(desk, link);
  for (const [i, words] of [[2, 'Да, слышу вас хорошо.'], [3, 'Колонна встала.']] as const) {
    await post(second.page, '/api/recordings/REC-0001/played', { span: nth(i).span });
    await write(second.page, nth(i), words, 0);
  }
  await second.context.close();
  while ((await api<RecordingView[]>(page, '/api/recordings')).some((r) => r.drawn < r.samples)) await page.waitForTimeout(200);
}

interface Place {
  name: string;
  path: () => string;
  ready: string;
  /** Opens what the address does not lead to. */
  then?: (page: Page) => Promise<void>;
}

const row = '[role=row][aria-selected=true]';
const on = (i: number) => `/r/REC-0001?at=${nth(i).span.from}-${nth(i).span.to}`;

async function open(page: Page, key: string, found: string): Promise<void> {
  await page.keyboard.press(key);
  await page.waitForSelector(found);
}

const places: Place[] = [
  { name: 'home', path: () => '/', ready: 'main h1' },
  { name: 'recordings', path: () => '/recordings', ready: 'text=net-ru.opus' },
  { name: 'recording', path: () => on(1), ready: row },
  { name: 'recording-writing', path: () => on(0), ready: row, then: async (page) => {
    await page.focus(row);
    await open(page, 'Enter', 'textarea[data-field=text]');
  } },
  { name: 'recording-details', path: () => on(0), ready: row, then: (page) => open(page, 'i', '.drawer ol.history') },
  { name: 'recording-difference', path: () => on(3), ready: row, then: (page) => open(page, 'd', '.drawer') },
  { name: 'recording-stations', path: () => on(2), ready: row, then: (page) => open(page, 's', 'dialog[open]') },
  { name: 'recording-distress', path: () => on(6), ready: row, then: (page) => open(page, '!', 'dialog[open]') },
  { name: 'search', path: () => `/search?${new URLSearchParams({ q: 'приём OR связь' })}`, ready: 'main mark, main [role=listitem], main li' },
  { name: 'doubts', path: () => '/doubts', ready: 'main h1 .mono' },
  { name: 'jobs', path: () => '/jobs', ready: 'main h1' },
  { name: 'people', path: () => '/people', ready: 'main table' },
  { name: 'nowhere', path: () => '/nowhere', ready: 'main h1' },
  { name: 'keys', path: () => on(1), ready: row, then: (page) => open(page, '?', 'dialog[open]') },
  { name: 'find', path: () => on(1), ready: row, then: (page) => open(page, 'Control+k', 'dialog[open]') },
  { name: 'settings', path: () => '/', ready: 'main h1', then: async (page) => {
    await page.keyboard.press('g');
    await open(page, ',', 'dialog[open]');
  } },
];

async function visit(page: Page, p: Place): Promise<void> {
  await page.goto(new URL(p.path(), page.url()).toString());
  await page.waitForSelector(p.ready);
  await page.waitForTimeout(250); // effects of the screen: its keys, what is selected
  await p.then?.(page);
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(500); // tiles and what is asked for afterwards
}

/** Parts of the page that can be scrolled sideways, or stick out of it. */
function sideways(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const name = (e: Element) => `${e.tagName.toLowerCase()}${e.className && typeof e.className === 'string' ? `.${e.className.trim().replace(/\s+/g, '.')}` : ''}`;
    const root = document.documentElement;
    const out = root.scrollWidth > root.clientWidth ? [`the page: ${root.scrollWidth} px in ${root.clientWidth}`] : [];
    for (const e of document.querySelectorAll('body *')) {
      const s = getComputedStyle(e);
      // Where text is cut off on purpose, it says so by an ellipsis; what is only for screen readers has a pixel.
      if (e.clientWidth <= 1 || s.textOverflow === 'ellipsis' || e instanceof HTMLInputElement) continue;
      // A table of data may be wider than a narrow window, in a part of its own (WCAG 1.4.10).
      if (innerWidth <= 320 && e.querySelector(':scope > table')) continue;
      if (s.overflowX !== 'visible' && e.scrollWidth > e.clientWidth + 1) out.push(`${name(e)}: ${e.scrollWidth} px in ${e.clientWidth}`);
    }
    return out;
  });
}

/** What axe has against the page, all of its rules, best practices too. */
async function axe(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const results = await page.evaluate(() => (globalThis as unknown as { axe: { run: () => Promise<AxeResults> } }).axe.run());
  return results.violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(' ')} ${n.html.slice(0, 160)} (${(n.failureSummary ?? '').split('\n').slice(1, 2).join('').trim()})`));
}

async function take(page: Page, name: string): Promise<void> {
  const protocol = await page.context().newCDPSession(page);
  const { data } = await protocol.send('Page.captureScreenshot', { format: 'webp', quality: 78 });
  await protocol.detach();
  writeFileSync(join(pictures, name), Buffer.from(data, 'base64'));
}

/** Words of the interface that are the same in English and in another language: not translated, or not to be. */
const texts = (page: Page) => page.evaluate(() => {
  const out = new Set<string>();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n = walk.nextNode(); n; n = walk.nextNode()) {
    const e = n.parentElement;
    const s = n.textContent?.trim() ?? '';
    if (e && /[a-z]{3}/i.test(s) && !e.closest('kbd, code, .mono, [lang]:not(html), option, script, style, noscript')) out.add(s);
  }
  for (const e of document.querySelectorAll('[aria-label], [title], [placeholder]')) {
    for (const a of ['aria-label', 'title', 'placeholder']) {
      const s = e.getAttribute(a) ?? '';
      if (/[a-z]{3}/i.test(s)) out.add(s);
    }
  }
  return [...out];
});

const english = new Map<string, string[]>();

const name = (p: Place, theme: string, language: string) => `${p.name}-${theme}-${language}.webp`;

function contents(): string {
  const cell = (p: Place, theme: string) => Object.keys(languages).map((l) => `[${l}](${name(p, theme, l)})`).join(' ');
  return [
    '# The screens', '',
    'The demo\'s case after some edits, at 1440 x 900, in both themes and all languages. Made by `EARWITNESS_SCREENS=1 npm run browser -- screens` in workbench, after `make build`.', '',
    '| screen | light | dark |', '|---|---|---|',
    ...places.map((p) => `| ${p.name} | ${cell(p, 'light')} | ${cell(p, 'dark')} |`), '',
  ].join('\n');
}

describe.skipIf(why !== '')('every screen', () => {
  beforeAll(async () => {
    desk = await Desk.open(demoCase());
    const { page, context } = await enter(desk);
    await work(page);
    links = [];
    for (let i = 0; i < Object.keys(languages).length * themes.length; i++) links.push((await post<Invitation>(page, '/api/session/link', {})).link);
    await context.close();
    if (taking) {
      rmSync(pictures, { recursive: true, force: true });
      mkdirSync(pictures, { recursive: true });
      writeFileSync(join(pictures, 'README.md'), contents());
    }
  });
  let links: string[] = [];
  afterAll(async () => {
    await desk?.close();
    await closeBrowser();
  });

  for (const language of Object.keys(languages) as Language[]) {
    for (const theme of themes) {
      test(`${language}, ${theme}`, async () => {
        const { page, trouble, context } = await enter(desk, links.pop(), { locale: languages[language], colorScheme: theme });
        const wrong: string[] = [];
        for (const p of places) {
          const say = (list: string[]) => wrong.push(...list.map((w) => `${p.name}: ${w}`));
          await visit(page, p);
          if (taking) await take(page, name(p, theme, language));
          say(await axe(page));
          say(await sideways(page));
          if (theme === 'light') {
            const here = await texts(page);
            if (language === 'en') english.set(p.name, here);
            else say(here.filter((s) => english.get(p.name)?.includes(s) && !untranslatable.some((u) => u.test(s))).map((s) => `not translated: ${s}`));
          }
          if (theme === 'dark') continue; // what follows does not depend on colours
          // Narrow: as a phone has it, and as a wide window is at 400 % (WCAG 1.4.10).
          await page.setViewportSize({ width: 320, height: 640 });
          await page.waitForTimeout(200);
          say((await sideways(page)).map((s) => `at 320 px: ${s}`));
          if (language === 'en') say((await axe(page)).map((s) => `at 320 px: ${s}`));
          await page.setViewportSize({ width: 1440, height: 900 });
        }
        await context.close();
        wrong.push(...troubles(trouble));
        expect(wrong).toEqual([]);
      }, 300_000);
    }
  }

  test.runIf(taking)('the pictures are small', () => {
    const sizes = readdirSync(pictures).filter((f) => f.endsWith('.webp')).map((f) => readFileSync(join(pictures, f)).length);
    expect(Math.max(...sizes)).toBeLessThan(120_000);
    expect(sizes.reduce((a, b) => a + b, 0)).toBeLessThan(6_000_000);
  });
});

const troubles = (t: Trouble) => [...new Set(t.all)].map((s) => `console: ${s}`);

/** Names, and what people and recordings say, which stay as they are in every language. */
const untranslatable = [
  /^Earwitness/i, /^REC-\d+/, /\.(opus|flac|wav)$/, /^(Olia|Oksana|root|Oli|Oks)\b/, /^\(?whisper-/, /^English$/, /^(srt|vtt|jsonl|csv)$/,
  /^Demo: /, /^invented for the demo$/, /^a wounded man/, /^Kedr, Kedr/, /^Copied, Burya/, /^\/nowhere$/,
];
