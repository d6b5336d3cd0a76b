import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { sessionOver } from '../api/client';
import { Home } from '../home/screen';
import { Recordings } from '../home/recordings';
import { number, t } from '../i18n';
import { breakAfter, breaks } from '../sound/care';
import { Help } from '../keys/help';
import { Palette } from '../keys/palette';
import { useCommands } from '../keys/dispatch';
import { Merge } from '../lines/merge';
import { RecordingScreen } from '../recording/screen';
import { announce, Announcements, toast } from '../ui/announce';
import { whenNotTyping } from '../ui/typing';
import { lazy } from '../ui/lazy';
import { Notice } from '../ui/notice';
import { shownTheme, theme } from '../ui/theme';
import { explain } from '../ui/trouble';
import { LoginForm } from './login';
import { Rail } from './rail';
import { go, route, type Route } from './router';
import { SettingsDialog } from './settings';
import { openWorkspace, workspace, type Workspace } from './workspace';

const Search = lazy(() => import('../search/screen').then((m) => m.Search));
const Doubts = lazy(() => import('../doubts/screen').then((m) => m.Doubts));
const Jobs = lazy(() => import('../jobs/screen').then((m) => m.Jobs));
const ChangeKeys = lazy(() => import('../keys/change').then((m) => m.ChangeKeys));
const People = lazy(() => import('../people/screen').then((m) => m.People));

export function App() {
  const failed = useSignal<unknown>(null);
  const tries = useSignal(0);
  useEffect(() => {
    let ended = false;
    let end: () => void = () => undefined;
    openWorkspace().then((scope) => {
      end = () => scope.end();
      if (ended) end();
    }, (e: unknown) => {
      failed.value = e;
    });
    return () => {
      ended = true;
      end();
    };
  }, [tries.value]);

  const space = workspace.value;
  if (sessionOver.value) return <SessionOver />;
  if (!space) {
    return (
      <main class="alone">
        {failed.value
          ? <Failed error={failed.value} again={() => { failed.value = null; tries.value++; }} />
          : <p class="quiet" role="status">{t.value.session.starting}</p>}
      </main>
    );
  }
  return <Shell space={space} />;
}

function Failed({ error, again }: { error: unknown; again: () => void }) {
  const { text, hint } = explain(error);
  return (
    <Notice text={t.value.session.unreachable} alarm>
      <p>{text} {hint}</p>
      <button type="button" onClick={again}>{t.value.common.again}</button>
    </Notice>
  );
}

function SessionOver() {
  const m = t.value.session;
  const space = workspace.value;
  const kept = space !== null && (space.outbox.pending.value.length > 0 || space.drafts.all.value.size > 0);
  return (
    <main class="alone">
      <h1>{m.overTitle}</h1>
      <p>{m.over}</p>
      <pre>earwitness serve</pre>
      {kept && <p>{m.kept}</p>}
      <div><button type="button" onClick={() => location.reload()}>{m.reload}</button></div>
      <LoginForm />
    </main>
  );
}

function Shell({ space }: { space: Workspace }) {
  const open = useSignal<'help' | 'palette' | 'settings' | 'merge' | 'keys' | null>(null);
  const main = useRef<HTMLElement>(null);
  const r = route.value;
  const close = () => (open.value = null);
  useCommands({
    find: () => (open.value = 'palette'),
    help: () => (open.value = 'help'),
    settings: () => (open.value = 'settings'),
    goHome: () => go('/'),
    goRecordings: () => go('/recordings'),
    goSearch: () => {
      if (route.peek().screen === 'search') document.querySelector<HTMLInputElement>('input[type=search]')?.focus();
      else go('/search');
    },
    goDoubts: () => go('/doubts'),
    goJobs: () => go('/jobs'),
    goPeople: () => go('/people'),
    back: () => history.back(),
    forward: () => history.forward(),
    region: () => nextRegion(),
    theme: () => {
      theme.value = shownTheme.peek() === 'dark' ? 'light' : 'dark';
    },
  });

  // A new screen is told to a screen reader, and begins at its top.
  const name = titleOf(r);
  const seen = useRef(r.screen);
  useEffect(() => {
    document.title = `${name} · ${space.session.case.title || 'Earwitness'}`;
    if (seen.current !== r.screen) main.current?.focus({ preventScroll: true });
    seen.current = r.screen;
  }, [name]);

  const conflict = space.outbox.conflicts.value[0];
  const offered = useRef('');
  if (open.value === 'merge' && conflict) offered.current = conflict.key;
  useEffect(() => {
    if (!conflict) {
      offered.current = '';
      return undefined;
    }
    // Whoever has closed it without a decision has the rail's button.
    return whenNotTyping(() => offered.current !== conflict.key && (open.value = 'merge'), () => announce(t.value.merge.waits));
  }, [conflict?.key]);

  useEffect(() => breaks.subscribe((n) => n > 0 && toast(t.value.settings.breakDue(number(breakAfter.peek())), { hint: t.value.settings.breakHint, stay: true })), []);

  return (
    <div class="shell">
      <a class="skip button" href="#content" onClick={(e) => { e.preventDefault(); main.current?.focus(); }}>{t.value.nav.skip}</a>
      <Rail space={space} onDecide={() => (open.value = 'merge')} onSettings={() => (open.value = 'settings')} />
      <main ref={main} id="content" tabIndex={-1} data-region={r.screen === 'recording' ? undefined : ''}>
        <Screen route={r} space={space} />
      </main>
      {open.value === 'help' && <Help onClose={close} onChange={() => (open.value = 'keys')} />}
      {open.value === 'palette' && <Palette onClose={close} />}
      {open.value === 'settings' && <SettingsDialog onClose={close} onKeys={() => (open.value = 'keys')} space={space} />}
      {open.value === 'keys' && <ChangeKeys onClose={close} />}
      {open.value === 'merge' && conflict && <Merge key={conflict.key} pending={conflict} onClose={close} />}
      <Announcements close={t.value.common.close} />
    </div>
  );
}

function Screen({ route: r, space }: { route: Route; space: Workspace }) {
  switch (r.screen) {
    case 'home':
      return <Home space={space} />;
    case 'recordings':
      return <Recordings space={space} />;
    case 'recording':
      return <RecordingScreen key={r.id} id={r.id} at={r.at} doubts={r.doubts} space={space} />;
    case 'search':
      return <Search q={r.q} />;
    case 'doubts':
      return <Doubts />;
    case 'jobs':
      return <Jobs space={space} />;
    case 'people':
      return <People space={space} />;
    case 'nowhere':
      return <div class="page"><h1 class="sr">{r.path}</h1><Notice text={t.value.common.nowhere}><a href="/">{t.value.nav.home}</a></Notice></div>;
    default:
      return unreachable(r);
  }
}

function unreachable(r: never): never {
  throw new Error(`no screen for ${JSON.stringify(r)}`);
}

function titleOf(r: Route): string {
  const m = t.value.nav;
  switch (r.screen) {
    case 'recording':
      return r.id;
    case 'nowhere':
      return r.path;
    default:
      return m[r.screen];
  }
}

// F6 goes from part to part of a screen, as in a desktop program; it is also the way out of the list, where Tab plays.
function nextRegion(): boolean {
  const parts = [...document.querySelectorAll<HTMLElement>('[data-region]')].filter((e) => e.offsetParent !== null || e.getClientRects().length > 0);
  if (parts.length === 0) return false;
  const at = parts.findIndex((e) => e.contains(document.activeElement));
  const next = parts[(at + 1) % parts.length];
  const inside = next?.matches('[role=grid]') ? next.querySelector<HTMLElement>('[role=row][tabindex="0"]') : next?.querySelector<HTMLElement>('a[href], button, input, select, [tabindex="0"]');
  (inside ?? next)?.focus();
  return true;
}
