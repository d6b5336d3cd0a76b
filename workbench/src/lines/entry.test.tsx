import { render } from 'preact';
import { expect, test } from 'vitest';
import type { EntryView } from '../api/types';
import { t } from '../i18n';
import { en } from '../i18n/en';
import { uk } from '../i18n/uk';
import { EntryText, kindName } from './entry';

const entry = (kind: string, text: string): EntryView => ({ index: 1, kind, author: 'MK', person: true, time: '', recording: '', text, replaces: 0, hidden: false });
function shown(e: EntryView): string {
  const box = document.createElement('div');
  render(<EntryText e={e} />, box);
  return box.textContent ?? '';
}

test('what the server names is said in the language of the interface', () => {
  t.value = uk;
  expect(shown(entry('mark.set', '+ distress'))).toBe('+ важке');
  expect(shown(entry('stations.stated', 'Днестр (guessed) → ?'))).toBe('Днестр (припущення) → ?');
  expect(shown(entry('utterance.written', '+ distress (guessed)'))).toBe('+ distress (guessed)');
  expect(kindName(entry('person.admitted', ''))).toBe(uk.details.kinds['person.admitted']);
  t.value = en;
});
