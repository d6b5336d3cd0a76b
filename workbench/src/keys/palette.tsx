import { useId, useMemo, useState } from 'preact/hooks';
import { t } from '../i18n';
import { Dialog } from '../ui/dialog';
import { available, handlerOf, keysOf } from './dispatch';
import type { CommandName } from './catalog';
import { Keys } from './keycap';

/** Everything that can be done here and now, by its name. */
export function Palette({ onClose }: { onClose: () => void }) {
  const m = t.value.keys;
  const [wanted, setWanted] = useState('');
  const [at, setAt] = useState(0);
  const list = useId();
  const all = useMemo(() => available().filter((name) => name !== 'find' && !name.startsWith('edit')), []);
  const found = all.filter((name) => fits(m.names[name], wanted));
  const active = Math.min(at, found.length - 1);
  const run = (name: CommandName | undefined) => {
    if (!name) return;
    onClose();
    // After the dialog has given the focus back: a command may look where it is, or move it.
    setTimeout(() => handlerOf(name)?.());
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
          {found.map((name, i) => (
            <li key={name} id={`${list}-${i}`} role="option" aria-selected={i === active} onClick={() => run(name)} ref={i === active ? (e) => e?.scrollIntoView({ block: 'nearest' }) : undefined}>
              {m.names[name]} <Keys chord={keysOf(name)[0] ?? ''} />
            </li>
          ))}
        </ul>
        {found.length === 0 && <p class="quiet">{m.paletteEmpty}</p>}
      </div>
    </Dialog>
  );
}

/** Whether every word that was typed begins a word of the name. */
export function fits(name: string, wanted: string): boolean {
  const words = name.toLocaleLowerCase().split(/[\s,;()]+/);
  return wanted.toLocaleLowerCase().split(/\s+/).filter(Boolean).every((w) => words.some((n) => n.startsWith(w)));
}
