import { expect, test } from 'vitest';
import { catalog, commandNames } from './catalog';

test('no two commands of one place have the same key', () => {
  for (const place of ['screen', 'field'] as const) {
    const seen = new Map<string, string>();
    for (const name of commandNames) {
      const { field, keys } = catalog[name];
      if (place === 'screen' ? field === 'only' : field === undefined) continue;
      for (const k of keys) {
        expect(seen.get(k), `${k} of ${name}`).toBeUndefined();
        seen.set(k, name);
      }
    }
  }
});

test('the browser\'s own keys are left alone', () => {
  const taken = commandNames.flatMap((name) => catalog[name].keys);
  for (const k of ['Ctrl+t', 'Ctrl+w', 'Ctrl+n', 'Ctrl+l', 'Ctrl+r', 'Ctrl+f', 'Ctrl+Tab']) expect(taken).not.toContain(k);
});
