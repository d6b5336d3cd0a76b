// Two people in two browsers write on the same lines while the network of each goes away and comes back: everything that a browser
// says is saved is in the history, and nothing that was typed is lost. Ten minutes with EARWITNESS_CAMPAIGN, else half a minute.
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, test } from 'vitest';
import type { EntryView, LinesView } from '../src/api/types';
import { api, closeBrowser, demoCase, Desk, earwitness, enter, missing } from './desk';
import { Keyboard } from './keyboard';

const why = missing();
afterAll(closeBrowser);

const length = process.env['EARWITNESS_CAMPAIGN'] ? 600_000 : 20_000;

/** Writes on the line that is selected, and settles conflicts for what was typed here. Says how often it pressed save. */
async function write(page: Page, keys: Keyboard, words: string): Promise<number> {
  let saves = 0;
  for (let tries = 0; ; tries++) {
    if (tries > 50) throw new Error(`cannot write: ${await page.evaluate(() => `${document.activeElement?.outerHTML.slice(0, 300)} ${document.querySelector('dialog[open]')?.textContent ?? 'no dialog'}`)}`);
    await settle(page);
    const open = page.locator('textarea[data-field=text]');
    if ((await open.count()) > 0) {
      await open.focus({ timeout: 300 }).catch(() => undefined);
    } else {
      await page.locator('[role=row][aria-selected=true]').focus({ timeout: 300 }).catch(() => undefined);
      await keys.press('Enter');
    }
    const field = page.locator('textarea[data-field=text]:focus');
    await field.waitFor({ timeout: 500 }).catch(() => undefined);
    if ((await field.count()) === 0) continue; // the dialog of a conflict has opened
    await keys.press('Ctrl+a');
    await keys.type(words);
    const typed = await page.evaluate(() => (document.activeElement instanceof HTMLTextAreaElement ? document.activeElement.value : ''));
    if (typed !== words) continue;
    await keys.press('Ctrl+Enter');
    saves++;
    await keys.press('Escape');
    // Where a dialog took the key, what was typed is there still, marked as not saved: that is no loss, and is saved now.
    if ((await page.locator('[role=row]', { hasText: 'unsaved' }).count()) === 0) return saves;
  }
}

/** Decides what another person wrote in between: mine, each time. The dialog opens by itself, or is asked for. */
async function settle(page: Page): Promise<void> {
  const mine = page.locator('dialog[open]').getByRole('button', { name: /mine$/ });
  const undecided = page.locator('nav .foot button.alert');
  for (let n = 0; n < 200 && (await mine.count()) + (await undecided.count()) > 0; n++) {
    const button = (await mine.count()) > 0 ? mine : undecided;
    // It may be gone, or lie under a dialog that has just opened, by the time it is pressed.
    await button.first().click({ timeout: 300 }).catch(() => undefined);
  }
}

describe.skipIf(why !== '')('two browsers', () => {
  test('lose nothing', async () => {
    const desk = await Desk.open(demoCase());
    try {
      const one = await enter(desk);
      const answer = await one.page.request.post(`${desk.url}/api/people`, { data: { id: '0'.repeat(31) + '1', person: 'Mykola', role: 'listener', replaces: 0 }, headers: { origin: desk.url } });
      const two = await enter(desk, ((await answer.json()) as { link: string }).link);
      const typed: Record<string, string[]> = { one: [], two: [] };
      const saves = new Map<string, number>();
      const until = Date.now() + length;
      let cuts = 0;
      const work = async (name: 'one' | 'two', page: Page): Promise<void> => {
        const keys = await Keyboard.of(page, name === 'one' ? 'latin' : 'cyrillic');
        await page.goto(`${desk.url}/r/REC-0004`);
        await page.waitForSelector('[role=row][aria-selected=true]');
        for (let n = 0; Date.now() < until; n++) {
          const words = `${name} ${n}`;
          saves.set(words, await write(page, keys, words));
          typed[name]?.push(words);
          await page.waitForTimeout(Math.random() * 300);
        }
      };
      const cut = async (page: Page): Promise<void> => {
        while (Date.now() < until - 3000) {
          await page.waitForTimeout(500 + Math.random() * 1500);
          await page.context().setOffline(true);
          cuts++;
          await page.waitForTimeout(Math.random() * 1500);
          await page.context().setOffline(false);
        }
      };
      await Promise.all([work('one', one.page), work('two', two.page), cut(one.page), cut(two.page)]);
      // Everything that waits is sent, and conflicts are settled.
      const waiting = async (page: Page) => {
        await settle(page);
        return page.locator('nav .foot span', { hasText: /^saved$/ }).count();
      };
      await expect.poll(() => waiting(one.page), { timeout: 60_000, interval: 300 }).toBe(1);
      await expect.poll(() => waiting(two.page), { timeout: 60_000, interval: 300 }).toBe(1);
      const lines = (await api<LinesView>(one.page, '/api/recordings/REC-0004/lines')).lines;
      const line = lines[0];
      if (!line) throw new Error('there is no line');
      const history = await api<EntryView[]>(one.page, `/api/recordings/REC-0004/lines/${line.span.from}-${line.span.to}/history`);
      const written = history.filter((e) => e.kind === 'utterance.written').map((e) => e.text);
      for (const name of ['one', 'two']) {
        const lost = (typed[name] ?? []).filter((w) => !written.includes(w));
        expect(lost).toEqual([]);
        expect((typed[name] ?? []).length).toBeGreaterThan(10);
      }
      // A text is there as often as it was saved, at most: sent again, an edit is done once.
      const twice = [...saves].filter(([words, n]) => written.filter((w) => w === words).length > n);
      expect(twice).toEqual([]);
      console.log(`${written.length} entries, ${cuts} cuts of the network`);
    } finally {
      await desk.close();
    }
    earwitness('-C', desk.dir, 'verify');
  }, length + 180_000);
});
