import type { EntryView } from '../api/types';
import { t } from '../i18n';
import { Said } from './said';
import { parseWording } from './text';

/** What an entry of the log is, in the language of the interface. */
export const kindName = (e: EntryView) => t.value.details.kinds[e.kind] ?? e.kind;

/** What an entry says: words as they were written; what the server names in its own words, in those of the interface. */
export function EntryText({ e }: { e: EntryView }) {
  const told = inWords(e);
  if (told !== null) return <span dir="auto">{told}</span>;
  return e.text && parseWording(e.text).length > 0 ? <Said text={e.text} lang="" /> : null;
}

function inWords(e: EntryView): string | null {
  const m = t.value.line;
  if (e.kind === 'mark.set') {
    const [sign = '', mark = ''] = e.text.split(' ');
    const name = mark === 'distress' ? m.distress : mark === 'return' ? m.return : mark;
    return `${sign} ${name}`;
  }
  if (e.kind === 'stations.stated') return e.text.replace(/\((self-identified|named|voice|guessed)\)/g, (_, basis: string) => `(${m.basesShort[basis] ?? basis})`);
  return null;
}
