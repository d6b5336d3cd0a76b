// @vitest-environment node
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { en } from '../i18n/en';
import { catalog, commandNames, type Group } from './catalog';

// docs/workbench.md lists every command with its keys; UPDATE=1 npm test -- doc writes the list.
test('the manual lists every key', () => {
  const groups = Object.keys(en.keys.groups) as Group[];
  const list = groups.map((g) => {
    const rows = commandNames.filter((n) => catalog[n].group === g).map((n) => `| ${en.keys.names[n]} | ${catalog[n].keys.map((k) => `\`${k.replaceAll('|', '\\|')}\``).join(' ')} |`);
    return [`### ${en.keys.groups[g]}`, '| does | keys |', '|---|---|', ...rows].join('\n');
  });
  const name = '../docs/workbench.md';
  const manual = readFileSync(name, 'utf8');
  const at = manual.indexOf('\n### ');
  const want = `${(at < 0 ? manual : manual.slice(0, at)).trimEnd()}\n\n${list.join('\n\n')}\n`;
  if (process.env['UPDATE']) writeFileSync(name, want);
  else expect(manual).toBe(want);
});
