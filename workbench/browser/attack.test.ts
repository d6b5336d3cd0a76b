// Two hundred hostile texts in every field, in file names and in the name of a person: no script runs, no other host is
// asked, the content policy has nothing to refuse, and every text comes back as it was written.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, test } from 'vitest';
import type { Edit, EditDone, LineView, LinesView, RecordingView } from '../src/api/types';
import { api, closeBrowser, demoCase, Desk, earwitness, enter, missing } from './desk';
import { payloads } from './payloads';

const why = missing();
afterAll(closeBrowser);

const id = () => randomBytes(16).toString('hex');

async function edit(page: Page, base: string, recording: string, body: Omit<Edit, 'id'>): Promise<EditDone> {
  const answer = await page.request.post(`${base}/api/recordings/${recording}/edits`, { data: { id: id(), ...body }, headers: { origin: base } });
  if (!answer.ok()) throw new Error(`${answer.status()} ${await answer.text()}`);
  return (await answer.json()) as EditDone;
}

/** Goes down a screen so that every row of it was drawn once. */
async function goThrough(page: Page): Promise<void> {
  await page.waitForTimeout(300);
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press('PageDown');
    await page.waitForTimeout(40);
  }
}

describe.skipIf(why !== '')('hostile texts', () => {
  test('there are two hundred', () => {
    expect(new Set(payloads).size).toBe(200);
  });

  test('in every field', async () => {
    const desk = await Desk.open(demoCase());
    try {
      const { page, trouble, context } = await enter(desk);
      const struck: string[] = [];
      await context.exposeFunction('struck', () => struck.push(page.url()));
      page.on('dialog', (d) => {
        struck.push(d.message());
        void d.dismiss();
      });
      const base = desk.url;
      const jfk = readFileSync(join('..', 'demo', 'audio', 'jfk.wav'));
      for (const [i, name] of ['<img src=x onerror=window.struck()>.wav', '"><svg onload=window.struck()>.wav', 'обычное \u202Egnp.wav'].entries()) {
        // Other bytes each time, or it would be the same recording.
        const bytes = Buffer.concat([jfk, Buffer.from([i, i])]);
        const answer = await page.request.post(`${base}/api/recordings?name=${encodeURIComponent(name)}`, { data: bytes, headers: { origin: base, 'content-type': 'application/octet-stream' } });
        expect(((await answer.json()) as RecordingView).file).toBe(name);
      }
      const admitted = await page.request.post(`${base}/api/people`, { data: { id: id(), person: '<img src=x onerror=window.struck()>', role: 'listener', replaces: 0 }, headers: { origin: base } });
      expect(admitted.status()).toBe(200);

      const lines = async (rec: string) => (await api<LinesView>(page, `/api/recordings/${rec}/lines`)).lines;
      const all: [string, LineView][] = [...(await lines('REC-0001')).map((l): [string, LineView] => ['REC-0001', l]), ...(await lines('REC-0002')).map((l): [string, LineView] => ['REC-0002', l])];
      for (let from = 0; from < payloads.length; from += all.length) {
        const round = payloads.slice(from, from + all.length);
        for (const [i, text] of round.entries()) {
          const [rec, was] = all[i] ?? (() => { throw new Error('no line'); })();
          const now = (await lines(rec)).find((l) => l.span.from === was.span.from);
          if (!now) throw new Error('a line is gone');
          const { span } = now;
          const done = await edit(page, base, rec, { utterance: { span, text, language: 'ru', replaces: now.entry } });
          const after = done.lines[0];
          expect(after?.text).toBe(text.trim());
          await edit(page, base, rec, { translation: { span, text, language: 'en', of: after?.basis ?? 0, replaces: now.translation?.entry ?? 0 } });
          const sign = text.trim().slice(0, 200);
          if (sign) await edit(page, base, rec, { stations: { span, from: { call_sign: sign, basis: 'named' }, to: { call_sign: sign, basis: 'guessed' }, replaces: now.stations } });
          const mark = now.marks.find((m) => m.mark === 'distress');
          await edit(page, base, rec, { mark: { span, mark: 'distress', note: text, off: false, replaces: mark?.entry ?? 0 } });
        }
        for (const where of ['/', '/recordings', '/r/REC-0001', '/r/REC-0002', '/doubts', '/jobs', '/people', `/search?q=${encodeURIComponent('state:corrected')}`]) {
          await page.goto(base + where);
          await goThrough(page);
        }
        await page.goto(`${base}/r/REC-0001`);
        await page.waitForSelector('[role=row][aria-selected=true]');
        await page.keyboard.press('i'); // details and history
        for (let n = 0; n < 8; n++) {
          await page.keyboard.press('j');
          await page.waitForTimeout(60);
        }
        await page.keyboard.press('Enter'); // in the field, too
        await page.waitForTimeout(100);
        await page.keyboard.press('Escape');
      }
      // Typed by hand into what asks for words.
      for (const text of payloads.filter((p) => !/[\n\r]/.test(p) && p.length < 300).slice(0, 60)) {
        await page.goto(`${base}/search?q=${encodeURIComponent(text)}`);
        await page.waitForTimeout(30);
      }
      expect(struck).toEqual([]);
      // A query that cannot be meant is refused, and says so: nothing else may go wrong.
      expect(trouble.all.filter((t) => !/^400: GET .*\/api\/search/.test(t))).toEqual([]);
      // Were one of them taken for markup, it would be seen here.
      await page.evaluate((markup) => (document.body.appendChild(document.createElement('div')).innerHTML = markup), payloads[6] ?? '');
      await expect.poll(() => trouble.all.some((t) => t.includes('policy: script-src'))).toBe(true);
      await context.close();
    } finally {
      await desk.close();
    }
    earwitness('-C', desk.dir, 'verify');
  });
});
