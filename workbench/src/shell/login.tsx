import { useState } from 'preact/hooks';
import * as api from '../api/client';
import { t } from '../i18n';
import { explain } from '../ui/trouble';

/** Begins a session by name and password, for those who have one. */
export function LoginForm() {
  const m = t.value.session;
  const [person, setPerson] = useState('');
  const [password, setPassword] = useState('');
  const [wrong, setWrong] = useState('');
  const submit = (e: Event) => {
    e.preventDefault();
    setWrong('');
    api.login({ person: person.trim(), password }).then(() => location.reload(), (error: unknown) => {
      const { text, hint } = explain(error);
      setWrong(`${text} ${hint}`);
    });
  };
  return (
    <form class="settings" onSubmit={submit}>
      <h2>{m.loginTitle}</h2>
      <label class="field"><span>{m.name}</span><input value={person} autocomplete="username" required dir="auto" onInput={(e) => setPerson(e.currentTarget.value)} /></label>
      <label class="field"><span>{m.password}</span><input type="password" value={password} autocomplete="current-password" required onInput={(e) => setPassword(e.currentTarget.value)} /></label>
      {wrong && <p class="alert" role="alert">{wrong}</p>}
      <div><button type="submit" class="first">{m.login}</button></div>
    </form>
  );
}
