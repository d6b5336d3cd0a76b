import { useId, useMemo, useState } from 'preact/hooks';
import { t } from '../i18n';
import { go, recordingPath, searchPath } from '../shell/router';
import { parseCitation } from '../sound/time';
import { Dialog } from '../ui/dialog';
import { available, handlerOf, keysOf } from './dispatch';
import { Keys } from './keycap';

interface Choice {
  name: string;
  key: string;
  run: () => void;
}

/** Everything that can be done here and now, by its name; a citation is opened, any other words are looked for. */
export function Palette({ onClose }: { onClose: () => void }) {
  const m = t.value.keys;
  const [wanted, setWanted] = useState('');
  const [at, setAt] = useState(0);
  const list = useId();
  const commands = useMemo<Choice[]>(() => available()
    .filter((name) => name !== 'find' && !name.startsWith('edit'))
    .map((name) => ({ name: m.names[name], key: keysOf(name)[0] ?? '', run: () => handlerOf(name)?.() })), [m]);
  const found = [...commands.filter((c) => fits(c.name, wanted)), ...placesFor(wanted)];
  const active = Math.min(at, found.length - 1);
  const run = (c: Choice | undefined) => {
    if (!c) return;
    onClose();
    // After the dialog has given the focus back: a command may look where it is, or move it.
    setTimeout(c.run);
  };
  const key = (e: KeyboardEvent) => {
    if (e.key === 'ArrowDown') setAt(Math.min(active + 1, found.length - 1));
    else if (e.key === 'ArrowUp') setAt(Math.max(active - 1, 0));
    else if (e.key === 'Enter') run(found[active]);
    else return;
    e.preventDefault();
  };
  return (
    <Dialog title={m.palette} close={t.value.common.close} onClose={onClose}>
      <div class="palette">
        <input
          autoFocus role="combobox" aria-expanded="true" aria-controls={list} aria-activedescendant={found.length > 0 ? `${list}-${active}` : undefined} aria-label={m.palette}
          value={wanted} onInput={(e) => { setWanted(e.currentTarget.value); setAt(0); }} onKeyDown={key}
        />
        <ul id={list} role="listbox" aria-label={m.palette}>
          {found.map((c, i) => (
            <li key={c.name} id={`${list}-${i}`} role="option" aria-selected={i === active} onClick={() => run(c)} ref={i === active ? (e) => e?.scrollIntoView({ block: 'nearest' }) : undefined}>
              <span dir="auto">{c.name}</span> {c.key && <Keys chord={c.key} />}
            </li>
          ))}
        </ul>
      </div>
    </Dialog>
  );
}

function placesFor(wanted: string): Choice[] {
  const words = wanted.trim();
  if (words === '') return [];
  const m = t.value.keys;
  const cited = parseCitation(words.toUpperCase());
  if (cited) return [{ name: m.openCitation(words.toUpperCase()), key: '', run: () => go(recordingPath(cited.recording, cited.span)) }];
  return [{ name: m.searchFor(words), key: '', run: () => go(searchPath(words)) }];
}

/** Whether every word that was typed begins a word of the name. */
export function fits(name: string, wanted: string): boolean {
  const words = name.toLocaleLowerCase().split(/[\s,;()]+/);
  return wanted.toLocaleLowerCase().split(/\s+/).filter(Boolean).every((w) => words.some((n) => n.startsWith(w)));
}
