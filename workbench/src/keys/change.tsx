import { useState } from 'preact/hooks';
import { t } from '../i18n';
import { Dialog } from '../ui/dialog';
import { bind, bindings, isBound, keysOf, refusal, reset, resetAll, take } from './bindings';
import { catalog, commandNames, type CommandName } from './catalog';
import { chordOf, keycaps } from './chord';
import { groups } from './help';
import { Keys } from './keycap';

interface Asking {
  name: CommandName;
  beside: boolean;
}

/** Every command with its keys, to be changed: by the keyboard alone, too. */
export function ChangeKeys({ onClose }: { onClose: () => void }) {
  const m = t.value.keys;
  const [asking, setAsking] = useState<Asking | null>(null);
  const [clash, setClash] = useState<(Asking & { chord: string; with: CommandName }) | null>(null);
  const [said, setSaid] = useState('');

  const begin = (a: Asking) => {
    setAsking(a);
    setClash(null);
    setSaid(m.press(m.names[a.name]));
  };
  const give = (a: Asking, chord: string) => {
    bind(a.name, chord, a.beside);
    setAsking(null);
    setClash(null);
    setSaid(m.bound(m.names[a.name], capsOf(chord)));
  };
  const pressed = (e: KeyboardEvent) => {
    if (!asking) return;
    const chord = chordOf(e);
    if (chord === 'Tab' || chord === 'Shift+Tab') { // it leads on, as everywhere
      setAsking(null);
      setSaid('');
      return;
    }
    e.preventDefault();
    e.stopPropagation();
    if (chord === '' || e.repeat) return;
    if (chord === 'Escape') {
      setAsking(null);
      setSaid(m.unchanged);
      return;
    }
    const no = refusal(asking.name, chord);
    if (!no) {
      give(asking, chord);
      return;
    }
    setAsking(null);
    if (no.kind === 'clash') setClash({ ...asking, chord, with: no.with });
    setSaid(no.kind === 'browser' ? m.browsers(capsOf(chord)) : no.kind === 'letter' ? m.letter(capsOf(chord)) : m.clash(capsOf(chord), m.names[no.with]));
  };

  return (
    <Dialog title={m.change} close={t.value.common.close} onClose={onClose} wide>
      <p class="quiet">{m.changeWhy}</p>
      <div class="actions">
        <p class="sr" role="status">{said}</p>
        <button type="button" disabled={Object.keys(bindings.value).length === 0} onClick={() => { resetAll(); setClash(null); setSaid(m.allReset); }}>{m.resetAll}</button>
      </div>
      {groups.map((g) => (
        <section key={g}>
          <h3>{m.groups[g]}</h3>
          <ul class="key-list">
            {commandNames.filter((name) => catalog[name].group === g).map((name) => {
              const word = m.names[name];
              const isAsked = asking?.name === name;
              const button = (beside: boolean, label: string) => {
                const on = isAsked && asking?.beside === beside;
                return (
                  <button
                    type="button" aria-label={`${label}: ${word}`} aria-pressed={on} onClick={() => begin({ name, beside })}
                    onKeyDown={on ? pressed : undefined} onKeyUp={on ? (e) => e.preventDefault() : undefined} onBlur={on ? () => setAsking(null) : undefined}
                  >{on ? m.pressNow : label}</button>
                );
              };
              return (
                <li key={name}>
                  <span>{word}</span>
                  <span class="has">{keysOf(name).length === 0 ? <span class="quiet">{m.noKey}</span> : keysOf(name).map((k) => <Keys key={k} chord={k} />)}</span>
                  <span class="does">
                    {button(false, m.rebind)}
                    {button(true, m.add)}
                    {isBound(name) && <button type="button" aria-label={`${m.reset}: ${word}`} onClick={() => { reset(name); setClash(null); setSaid(m.wasReset(word)); }}>{m.reset}</button>}
                  </span>
                  {said && (isAsked || clash?.name === name) && (
                    <p class={clash ? 'alert' : 'quiet'}>
                      {said} {clash && <button type="button" onClick={() => { take(clash.with, clash.chord); give(clash, clash.chord); }}>{m.takeKey}</button>}
                    </p>
                  )}
                </li>
              );
            })}
          </ul>
        </section>
      ))}
    </Dialog>
  );
}

const capsOf = (chord: string) => keycaps(chord).join(' ');
