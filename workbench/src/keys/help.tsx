import { t } from '../i18n';
import { Dialog } from '../ui/dialog';
import { catalog, commandNames, type Group } from './catalog';
import { keysOf } from './dispatch';
import { Keys } from './keycap';

export const groups: Group[] = ['everywhere', 'listening', 'rows', 'text', 'sound'];

export function Help({ onClose, onChange }: { onClose: () => void; onChange: () => void }) {
  const m = t.value.keys;
  return (
    <Dialog title={m.title} close={t.value.common.close} onClose={onClose} wide>
      <p class="quiet">{m.why}</p>
      <div class="actions"><button type="button" onClick={onChange}>{m.change}</button></div>
      <div class="keys">
        {groups.map((g) => (
          <section key={g}>
            <h3>{m.groups[g]}</h3>
            <dl>
              {commandNames.filter((name) => catalog[name].group === g).map((name) => [
                <dt key={name}>{keysOf(name).map((k, i) => <span key={k}>{i > 0 && ' '}<Keys chord={k} /></span>)}</dt>,
                <dd key={`${name}.`}>{m.names[name]}</dd>,
              ])}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
