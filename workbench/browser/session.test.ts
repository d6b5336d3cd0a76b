// A person with only the README: corrects and translates twenty transmissions of the demo without touching the mouse.
import { afterAll, describe, expect, test } from 'vitest';
import type { EntryView, LinesView, LineView } from '../src/api/types';
import { api, closeBrowser, demoCase, Desk, earwitness, enter, missing } from './desk';
import { Keyboard } from './keyboard';

const why = missing();
if (why) console.warn(`browser tests are skipped: ${why}`);

afterAll(closeBrowser);

const heard = (i: number) => `Проверка связи номер ${i}, приём. [inaudible 0.5 s]`;
const said = (i: number) => `Radio check number ${i}, over.`;

describe.skipIf(why !== '')('twenty transmissions by keyboard', () => {
  for (const layout of ['latin', 'cyrillic'] as const) {
    test(`in a ${layout} layout`, async () => {
      const desk = await Desk.open(demoCase());
      try {
        const { page, trouble, context } = await enter(desk);
        const keys = await Keyboard.of(page, layout);
        await page.waitForSelector('h1, main');
        await keys.presses('g', 'r');
        await page.waitForURL(/\/recordings$/);
        await page.waitForSelector('text=net-ru.opus');
        // The first recording of the list, by Tab, as nobody has told where it is.
        for (let i = 0; i < 30 && !(await page.evaluate(() => document.activeElement?.matches('a') && document.activeElement.textContent?.includes('REC-0001'))); i++) await keys.press('Tab');
        await keys.press('Enter');
        await page.waitForURL(/\/r\/REC-0001/);
        await page.waitForSelector('[role=row][aria-selected=true]');

        const before = await api<LinesView>(page, '/api/recordings/REC-0001/lines');
        const spoken = before.lines.filter((l) => l.sound === 'speech').slice(0, 20);
        expect(spoken.length).toBe(20);
        const current = () => page.evaluate(() => document.querySelector('[role=row][aria-selected=true] time')?.textContent ?? '');
        for (const [i, line] of spoken.entries()) {
          const clock = new Date((line.span.from / 16_000) * 1000).toISOString().slice(11, 21);
          for (let steps = 0; (await current()) !== clock && steps < 60; steps++) await keys.press((await current()) < clock ? 'j' : 'k');
          expect(await current()).toBe(clock);
          if (i < 2) {
            await keys.press('Space'); // plays it; to the end counts as heard
            await expect.poll(async () => (await api<LinesView>(page, '/api/recordings/REC-0001/lines')).lines.find((l) => l.span.from === line.span.from)?.played, { timeout: 20_000 }).toBe(true);
          }
          await keys.press('Enter');
          await page.waitForSelector('textarea[data-field=text]:focus');
          await keys.press('Ctrl+a');
          await keys.type(heard(i));
          await keys.press('Tab');
          await page.waitForSelector('textarea[data-field=translation]:focus');
          await keys.press('Ctrl+a');
          await keys.type(said(i));
          await keys.press('Enter');
          await page.waitForFunction((s) => document.querySelector('textarea:focus') === null || !(document.querySelector('textarea:focus') as HTMLTextAreaElement).value.includes(s), said(i));
          await keys.press('Escape');
        }
        const lines = async () => (await api<LinesView>(page, '/api/recordings/REC-0001/lines')).lines;
        const done = (l: LineView) => l.author === 'Olia' && l.translation?.state === 'translated';
        await expect.poll(async () => (await lines()).filter(done).length, { timeout: 20_000 }).toBe(20);
        for (const [i, line] of spoken.entries()) {
          const now = (await lines()).find((l) => l.span.from === line.span.from && l.span.to === line.span.to);
          expect(now?.text).toBe(heard(i));
          expect(now?.translation?.text).toBe(said(i));
          expect(now?.pieces?.some((p) => p.inaudible_milli === 500)).toBe(true);
        }
        // Undo takes the last one back and redo brings it again, as entries of their own.
        const last = spoken[19];
        if (!last) throw new Error('there is no twentieth');
        const state = async () => (await lines()).find((l) => l.span.from === last.span.from);
        await keys.presses('Ctrl+z', 'Ctrl+z');
        await expect.poll(async () => (await state())?.state).toBe('draft');
        await keys.presses('Ctrl+Shift+z', 'Ctrl+Shift+z');
        await expect.poll(async () => (await state())?.text).toBe(heard(19));
        const history = await api<EntryView[]>(page, `/api/recordings/REC-0001/lines/${last.span.from}-${last.span.to}/history`);
        expect(history.filter((e) => e.kind === 'utterance.written').length).toBe(3);

        expect(trouble.all).toEqual([]);
        await context.close();
      } finally {
        await desk.close();
      }
      expect(earwitness('-C', desk.dir, 'show', 'REC-0001')).toContain('Проверка связи номер 19');
      earwitness('-C', desk.dir, 'verify');
    });
  }
});
