import { useEffect } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import * as api from '../api/client';
import { connected, onEvent } from '../api/events';
import type { JobsView } from '../api/types';
import { percent, t } from '../i18n';
import { keysOf } from '../keys/dispatch';
import type { CommandName } from '../keys/catalog';
import { Keys } from '../keys/keycap';
import { plain } from '../lines/text';
import { spaced } from '../ui/scope';
import { route } from './router';
import type { Workspace } from './workspace';

const places: { path: string; screen: 'home' | 'recordings' | 'search' | 'doubts' | 'jobs' | 'people'; command: CommandName }[] = [
  { path: '/', screen: 'home', command: 'goHome' },
  { path: '/recordings', screen: 'recordings', command: 'goRecordings' },
  { path: '/search', screen: 'search', command: 'goSearch' },
  { path: '/doubts', screen: 'doubts', command: 'goDoubts' },
  { path: '/jobs', screen: 'jobs', command: 'goJobs' },
  { path: '/people', screen: 'people', command: 'goPeople' },
];

export function Rail({ space, onDecide, onSettings }: { space: Workspace; onDecide: () => void; onSettings: () => void }) {
  const m = t.value.nav;
  const here = route.value.screen === 'recording' ? 'recordings' : route.value.screen;
  return (
    <nav class="rail" aria-label={m.label} data-region>
      <div class="name" dir="auto">{plain(space.session.case.title) || 'Earwitness'}</div>
      <ul>
        {places.map((p) => (
          <li key={p.path}>
            <a href={p.path} aria-current={here === p.screen ? 'page' : undefined}>{m[p.screen]} <Keys chord={keysOf(p.command)[0] ?? ''} /></a>
          </li>
        ))}
      </ul>
      <div class="foot">
        <Working />
        <SaveState space={space} onDecide={onDecide} />
        <span class={connected.value ? '' : 'alert'}>{connected.value ? m.connected : m.disconnected}</span>
        <button type="button" class="plain" onClick={onSettings}>{m.settings} · <span dir="auto">{plain(space.session.person)}</span></button>
      </div>
    </nav>
  );
}

/** Where what one wrote is: in the case, on its way, or waiting. */
function SaveState({ space, onDecide }: { space: Workspace; onDecide: () => void }) {
  const m = t.value.save;
  const { pending, conflicts, offline, safe } = space.outbox;
  const waiting = pending.value.length;
  if (conflicts.value.length > 0) return <button type="button" class="plain alert" onClick={onDecide}>{m.conflict(conflicts.value.length)}</button>;
  if (!safe.value) return <span class="alert">{m.notKept}</span>;
  if (waiting > 0) return <span class={offline.value ? 'alert' : ''}>{offline.value ? m.offline(waiting) : m.saving}</span>;
  return <span>{m.saved}</span>;
}

function Working() {
  const jobs = useSignal<JobsView | null>(null);
  useEffect(() => {
    const look = spaced(1000, () => void api.jobs().then((j) => (jobs.value = j), () => undefined), { atOnce: true }); // its screen says why
    look();
    const end = onEvent((e) => (e.kind === 'jobs' || e.kind === 'again') && look());
    return () => {
      end();
      look.cancel();
    };
  }, []);
  const j = jobs.value;
  return j?.running ? <a href="/jobs">{t.value.nav.working(percent(j.fraction))}</a> : null;
}
