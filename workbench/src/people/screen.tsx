import { useEffect, useState } from 'preact/hooks';
import * as api from '../api/client';
import { onEvent } from '../api/events';
import type { PersonView } from '../api/types';
import { t } from '../i18n';
import { plain } from '../lines/text';
import { newID, type Workspace } from '../shell/workspace';
import { Dialog } from '../ui/dialog';
import { useLoaded } from '../ui/load';
import { Scroll } from '../ui/scroll';
import { Loading, tell, Trouble } from '../ui/trouble';

const roles = ['collector', 'listener', 'translator', 'investigator', 'reviewer', 'editor', 'admin'] as const;

/** Who works in the case, as what, and how they get in. */
export function People({ space }: { space: Workspace }) {
  const m = t.value.people;
  const { value, error, again } = useLoaded(api.people, []);
  const [link, setLink] = useState<{ person: string; link: string } | null>(null);
  useEffect(() => onEvent((e) => (e.kind === 'people' || e.kind === 'again') && again()), []);
  const mayAdmit = space.may('admit');
  const invited = (person: string) => (i: { link: string }) => {
    again();
    if (i.link) setLink({ person, link: i.link });
  };
  const admit = (person: string, role: string, replaces: number) => api.admit({ id: newID(), person, role, replaces }).then(invited(person), tell);
  const list = value.value;
  return (
    <div class="page people">
      <header><h1>{m.title}</h1></header>
      {!list && (error.value ? <Trouble error={error.value} again={again} /> : <Loading />)}
      {list && (
        <Scroll label={m.title}>
          <table class="stacked">
            <thead><tr><th>{m.person}</th><th>{m.role}</th><th>{m.returns}</th>{mayAdmit && <th><span class="sr">{m.actions}</span></th>}</tr></thead>
            <tbody>
              {list.map((p) => (
                <tr key={p.person}>
                  <td dir="auto"><b>{plain(p.person)}</b>{p.person === space.session.person && <span class="quiet"> {m.you}</span>}</td>
                  <td><RoleOf person={p} onChange={mayAdmit && !p.owner ? (role) => void admit(p.person, role, p.entry) : null} /></td>
                  <td class="quiet">{p.password ? m.password : m.byLink}</td>
                  {mayAdmit && <td>{!p.owner && p.role && <button type="button" onClick={() => void api.invite(p.person).then(invited(p.person), tell)}>{m.newLink}</button>}</td>}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      {mayAdmit && <AdmitForm onAdmit={(person, role) => admit(person, role, list?.find((p) => p.person === person)?.entry ?? 0)} />}
      {link && (
        <Dialog title={m.linkFor(plain(link.person))} close={t.value.common.close} onClose={() => setLink(null)}>
          <p>{m.linkWhy}</p>
          <input class="mono" readOnly value={link.link} autoFocus aria-label={m.linkFor(plain(link.person))} onFocus={(e) => e.currentTarget.select()} />
        </Dialog>
      )}
    </div>
  );
}

function RoleOf({ person, onChange }: { person: PersonView; onChange: ((role: string) => void) | null }) {
  const m = t.value.people;
  if (!onChange) return <>{person.owner ? m.owner : (m.roles[person.role] ?? person.role) || m.none}</>;
  return (
    <select value={person.role} aria-label={`${m.role}: ${plain(person.person)}`} onChange={(e) => onChange(e.currentTarget.value)}>
      <option value="">{m.none}</option>
      {roles.map((r) => <option key={r} value={r}>{m.roles[r]}</option>)}
    </select>
  );
}

function AdmitForm({ onAdmit }: { onAdmit: (person: string, role: string) => Promise<unknown> }) {
  const m = t.value.people;
  const [person, setPerson] = useState('');
  const [role, setRole] = useState<string>('listener');
  const submit = (e: Event) => {
    e.preventDefault();
    void onAdmit(person.trim(), role).then(() => setPerson(''));
  };
  return (
    <form class="admit" onSubmit={submit}>
      <h2>{m.admit}</h2>
      <label class="field"><span>{m.person}</span><input required value={person} dir="auto" autocomplete="off" onInput={(e) => setPerson(e.currentTarget.value)} /></label>
      <label class="field">
        <span>{m.role}</span>
        <select value={role} onChange={(e) => setRole(e.currentTarget.value)}>{roles.map((r) => <option key={r} value={r}>{m.roles[r]}</option>)}</select>
      </label>
      <div><button type="submit" class="first">{m.admitNow}</button></div>
    </form>
  );
}
