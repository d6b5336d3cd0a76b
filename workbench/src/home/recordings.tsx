import { useEffect } from 'preact/hooks';
import * as api from '../api/client';
import { onEvent } from '../api/events';
import type { RecordingView } from '../api/types';
import { number, t } from '../i18n';
import { Parts } from '../lines/said';
import { reveal } from '../lines/text';
import { ExportMenu, frequency, startName } from '../recording/head';
import { recordingPath } from '../shell/router';
import type { Workspace } from '../shell/workspace';
import { wholeClock } from '../sound/time';
import { useLoaded } from '../ui/load';
import { Notice } from '../ui/notice';
import { spaced } from '../ui/scope';
import { Scroll } from '../ui/scroll';
import { Loading, tell, Trouble } from '../ui/trouble';
import { Intake } from './intake';

export function Recordings({ space }: { space: Workspace }) {
  const { value, error, again } = useLoaded(api.recordings, []);
  useEffect(() => {
    const soon = spaced(1000, again);
    const end = onEvent((e) => (e.kind === 'entries' || e.kind === 'jobs' || e.kind === 'again') && soon());
    return () => {
      end();
      soon.cancel();
    };
  }, []);
  const m = t.value.recordings;
  const list = value.value;
  const unfinished = list?.some((r) => r.state !== 'heard');
  return (
    <div class="page recordings">
      <header>
        <h1>{m.title}</h1>
        <span class="end">
        {space.may('export') && list && list.length > 0 && <ExportMenu />}
        {unfinished && space.may('run') && <button type="button" onClick={() => void api.runJobs({}).catch(tell)}>{m.run}</button>}
        </span>
      </header>
      <Intake space={space} onTaken={again}>
        {!list && (error.value ? <Trouble error={error.value} again={again} /> : <Loading />)}
        {list?.length === 0 && <Notice text={m.empty}><p>{m.emptyHow}</p><pre>earwitness add FILE...</pre></Notice>}
        {list && list.length > 0 && <Table list={list} />}
      </Intake>
    </div>
  );
}

function Table({ list }: { list: RecordingView[] }) {
  const m = t.value.recordings;
  return (
    <Scroll label={m.title}>
      <table class="stacked">
        <thead>
          <tr><th>{m.name}</th><th>{m.frequency}</th><th>{m.when}</th><th class="number">{m.length}</th><th>{m.state}</th><th class="number">{m.read}</th></tr>
        </thead>
        <tbody>
          {list.map((r) => (
            <tr key={r.recording}>
              <td><a href={recordingPath(r.recording)}><span class="mono">{r.recording}</span> <span class="said" dir="auto"><Parts parts={reveal(r.file)} /></span></a></td>
              <td class="mono">{frequency(r)}</td>
              <td>{startName(r)}</td>
              <td class="number">{r.samples > 0 ? wholeClock(r.samples) : ''}</td>
              <td>
                <span class={r.state === 'failed' ? 'alert' : ''}>{m.states[r.state] ?? r.state}</span>
                {r.synthetic && <div class="quiet">{t.value.common.synthetic}</div>}
                {r.reason && <div class="quiet"><Parts parts={reveal(r.reason)} /></div>}
                {r.hint && <div class="quiet">{r.hint}</div>}
              </td>
              <td class="number">{number(r.heard)}/{number(r.of)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
