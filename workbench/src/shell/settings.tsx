import { useState } from 'preact/hooks';
import * as api from '../api/client';
import { language, languageName, languageNames, languages, t, type Language } from '../i18n';
import { singleKeys } from '../keys/dispatch';
import { target, targets, type Target } from '../lines/target';
import { plain } from '../lines/text';
import { breakAfter } from '../sound/care';
import { autoPlay, distressMode } from '../sound/listening';
import { toast } from '../ui/announce';
import { Dialog } from '../ui/dialog';
import { density, theme, themes, type Theme } from '../ui/theme';
import { tell } from '../ui/trouble';
import type { Workspace } from './workspace';

export function SettingsDialog({ onClose, onKeys, space }: { onClose: () => void; onKeys: () => void; space: Workspace }) {
  const m = t.value.settings;
  const s = t.value.session;
  const link = () => api.newLink().then(async (l) => {
    await navigator.clipboard.writeText(l.link);
    toast(s.linkMade);
  }).catch(tell);
  const end = () => api.endSession().then(() => (api.sessionOver.value = true), tell);
  return (
    <Dialog title={m.title} close={t.value.common.close} onClose={onClose}>
      <div class="settings">
        <Choice name={m.language} value={language.value} all={languages} label={(l) => languageNames[l]} onChange={(l: Language) => (language.value = l)} />
        <Choice name={m.theme} value={theme.value} all={themes} label={(v) => m.themes[v]} onChange={(v: Theme) => (theme.value = v)} />
        <Choice name={m.density} value={density.value} all={['dense', 'comfortable'] as const} label={(v) => m.densities[v]} onChange={(v) => (density.value = v)} />
        <Choice name={m.distress} value={distressMode.value} all={['ask', 'quiet', 'skip'] as const} label={(v) => m.distresses[v]} onChange={(v) => (distressMode.value = v)} />
        <Choice name={m.translation} value={target.value} all={targets} label={languageName} onChange={(l: Target) => (target.value = l)} />
        <label class="field">
          <span>{m.breakAfter}</span>
          <input type="number" min={0} max={600} step={5} value={breakAfter.value} onChange={(e) => (breakAfter.value = Math.max(0, Math.min(600, Math.round(e.currentTarget.valueAsNumber || 0))))} />
        </label>
        <label class="line"><input type="checkbox" checked={autoPlay.value} onChange={(e) => (autoPlay.value = e.currentTarget.checked)} /> {m.autoplay}</label>
        <label class="line"><input type="checkbox" checked={singleKeys.value} onChange={(e) => (singleKeys.value = e.currentTarget.checked)} /> {m.letters}</label>
        <p class="quiet">{m.lettersWhy}</p>
        <div><button type="button" onClick={onKeys}>{t.value.keys.change}</button></div>
      </div>
      <PasswordForm />
      <p>{s.person} <b dir="auto">{plain(space.session.person)}</b>. {space.session.blind && s.blind}</p>
      <div class="actions">
        <button type="button" onClick={() => void link()}>{s.link}</button>
        <button type="button" onClick={() => void end()}>{s.end}</button>
        <button type="button" class="first" onClick={onClose}>{t.value.common.close}</button>
      </div>
      <p class="quiet">{space.session.version}</p>
    </Dialog>
  );
}

function PasswordForm() {
  const s = t.value.session;
  const [password, setPassword] = useState('');
  const submit = (e: Event) => {
    e.preventDefault();
    api.setPassword(password).then(() => {
      setPassword('');
      toast(s.passwordSet);
    }, tell);
  };
  return (
    <form class="password" onSubmit={submit}>
      <label class="field"><span>{s.newPassword}</span><input type="password" autocomplete="new-password" value={password} onInput={(e) => setPassword(e.currentTarget.value)} /></label>
      <button type="submit" disabled={password === ''}>{s.setPassword}</button>
    </form>
  );
}

function Choice<T extends string>(props: { name: string; value: T; all: readonly T[]; label: (v: T) => string; onChange: (v: T) => void }) {
  const pick = (s: string) => {
    const found = props.all.find((v) => v === s);
    if (found) props.onChange(found);
  };
  return (
    <label class="field">
      <span>{props.name}</span>
      <select value={props.value} onChange={(e) => pick(e.currentTarget.value)}>
        {props.all.map((v) => <option key={v} value={v}>{props.label(v)}</option>)}
      </select>
    </label>
  );
}
