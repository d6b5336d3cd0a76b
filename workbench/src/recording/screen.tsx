import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import * as api from '../api/client';
import type { Span } from '../api/types';
import { decimal, t } from '../i18n';
import { Details } from '../lines/details';
import { LineList } from '../lines/list';
import { lineID } from '../lines/order';
import { recordingPath, route, stay } from '../shell/router';
import type { Workspace } from '../shell/workspace';
import { lengthOf, rate, seconds } from '../sound/time';
import { Transport } from '../sound/transport';
import { Notice } from '../ui/notice';
import { settled } from '../ui/scope';
import { Loading, tell, Trouble } from '../ui/trouble';
import { AskDistress, AskStations } from './ask';
import { gain, open, useRecordingCommands } from './commands';
import { citationOf, copy, RecordingHead } from './head';
import { Overview } from './overview';
import { Picture } from './picture';
import { toggle, usePlayer } from './playing';
import { RecordingStore } from './store';
import { bringIn, fit, type View } from './view';

/** A recording: its sound to see, its player, its lines to read and to write. */
export function RecordingScreen({ id, at, doubts, space }: { id: string; at: Span | null; doubts: boolean; space: Workspace }) {
  const store = useMemo(() => {
    const s = new RecordingStore(id, space, at);
    s.doubtMarks.value = doubts;
    return s;
  }, [id]);
  const view = useSignal<View>({ from: 0, perPixel: 1, width: 0 });
  const player = usePlayer(store, view);

  useEffect(() => {
    void store.load();
    return () => store.end();
  }, [store]);

  // The address follows the line one is on; the address, when one goes back, leads to it.
  useEffect(() => {
    const say = settled(300, () => {
      const line = store.line.peek();
      if (line && route.peek().screen === 'recording') stay(recordingPath(id, line.span, store.doubtMarks.peek()));
    });
    const end = store.active.subscribe(() => say());
    return () => {
      end();
      say.cancel();
    };
  }, [store]);
  useEffect(() => {
    const line = at && store.lines.value.find((l) => l.span.from === at.from);
    if (line && lineID(line.span) !== store.active.peek()) store.goTo(line);
  }, [at?.from, at?.to]);

  const first = useRef(true);
  useEffect(() => {
    const s = store.line.value?.span;
    if (!s || view.value.width === 0) return;
    view.value = first.current ? fit(view.peek(), around(s), store.samples.peek()) : bringIn(view.peek(), s, store.samples.peek());
    first.current = false;
  }, [store.active.value, view.value.width === 0]);

  useRecordingCommands(store, player, view);

  const r = store.recording.value;
  const lines = store.lines.value;
  const line = store.line.value;
  if (!r) return store.error.value ? <div class="page"><Trouble error={store.error.value} again={() => void store.load()} /></div> : <div class="page"><Loading /></div>;
  return (
    <div class="recording">
      {space.session.blind && <p class="banner">{t.value.session.blind}</p>}
      <RecordingHead recording={r} mayExport={space.may('export')} read={lines.filter((l) => l.author !== '').length} of={r.of} />
      {r.samples > 0 ? <Overview store={store} player={player} view={view} /> : <Notice text={r.reason || t.value.recording.noSound}>{r.hint && <p>{r.hint}</p>}</Notice>}
      {r.samples > 0 && <Picture store={store} player={player} view={view} gain={gain} />}
      <Transport player={player} samples={r.samples} onToggle={() => toggle(store, player)} >
        {store.selection.value && <span class="mono">{t.value.recording.selection(decimal(seconds(lengthOf(store.selection.value))))}</span>}
      </Transport>
      <div class={store.panel.value && line ? 'body with-drawer' : 'body'}>
        {lines.length === 0
          ? <NoLines store={store} />
          : <LineList store={store} onOpen={(l, field) => open(store, l, field)} />}
        {store.panel.value && line && <Details store={store} line={line} onCopy={() => void copy(citationOf(id, line))} />}
      </div>
      {line && (store.asking.value === 'from' || store.asking.value === 'to') && <AskStations key={lineID(line.span)} store={store} line={line} first={store.asking.value} />}
      {line && store.asking.value === 'distress' && <AskDistress key={lineID(line.span)} store={store} line={line} />}
    </div>
  );
}

const around = (s: Span): Span => ({ from: s.from - 8 * rate, to: s.to + 8 * rate });

function NoLines({ store }: { store: RecordingStore }) {
  const r = store.recording.value;
  const m = t.value.recording;
  const run = () => void api.runJobs({ recordings: [store.id], retry: true }).catch(tell);
  return (
    <Notice text={r?.detected ? m.noLines : r?.reason || m.notSearched}>
      {r?.hint && <p>{r.hint}</p>}
      {r?.failures?.map((f) => <p key={f.entry} class="alert">{f.stage}: {f.message}{f.hint && ` ${f.hint}`}</p>)}
      {!r?.detected && store.space.may('run') && <button type="button" onClick={run}>{m.runNow}</button>}
    </Notice>
  );
}
