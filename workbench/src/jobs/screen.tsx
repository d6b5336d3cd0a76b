import { useEffect } from 'preact/hooks';
import * as api from '../api/client';
import { onEvent } from '../api/events';
import type { JobsView, JobView, RunJobs } from '../api/types';
import { language, number, percent, t } from '../i18n';
import { Parts } from '../lines/said';
import { reveal } from '../lines/text';
import { recordingPath } from '../shell/router';
import type { Workspace } from '../shell/workspace';
import { momentName, wholeClock } from '../sound/time';
import { toast } from '../ui/announce';
import { useLoaded } from '../ui/load';
import { Notice } from '../ui/notice';
import { Scope, spaced } from '../ui/scope';
import { isBoolean, setting } from '../ui/setting';
import { Loading, tell, Trouble } from '../ui/trouble';

/** Whether a run also drafts translations. Off until asked for: a draft can say the contrary of what was said. */
const translate = setting('jobs.translate', false, isBoolean);

export function Jobs({ space }: { space: Workspace }) {
  const { value, error, again } = useLoaded(api.jobs, []);
  useEffect(() => {
    const scope = new Scope();
    const soon = spaced(1000, again, { atOnce: true });
    scope.own(() => soon.cancel());
    scope.own(onEvent((e) => (e.kind === 'jobs' || e.kind === 'again') && soon()));
    scope.every(5000, () => value.peek()?.running && again()); // the time left moves also while nothing is finished
    return () => scope.end();
  }, []);
  const m = t.value.jobs;
  const j = value.value;
  const run = (r: RunJobs) => api.runJobs({ ...r, translate: translate.peek() }).then(again, tell);
  const stop = () => api.stopJobs().then(() => {
    toast(m.stopped);
    again();
  }, tell);
  return (
    <div class="page jobs">
      <header>
        <h1>{m.title}</h1>
        {j && space.may('run') && (j.running ? <button type="button" onClick={() => void stop()}>{m.stop}</button> : <button type="button" class="first" onClick={() => void run({})}>{m.run}</button>)}
      </header>
      {!j && (error.value ? <Trouble error={error.value} again={again} /> : <Loading />)}
      {j && space.may('run') && (
        <div class="choice">
          <label class="line"><input type="checkbox" checked={translate.value} aria-describedby="translate-why" onChange={(e) => (translate.value = e.currentTarget.checked)} /> {m.translate}</label>
          <p class="quiet" id="translate-why">{m.translateWhy}</p>
        </div>
      )}
      {j && <Whole j={j} />}
      {j && (j.jobs.length === 0 ? <Notice text={m.empty} /> : <section>{j.jobs.map((k) => <OneJob key={`${k.recording} ${k.stage}`} job={k} onAgain={space.may('run') ? () => void run({ recordings: [k.recording], retry: true }) : null} />)}</section>)}
      <p class="quiet">{m.nothingSent}</p>
    </div>
  );
}

function Whole({ j }: { j: JobsView }) {
  const m = t.value.jobs;
  return (
    <section>
      {j.running ? (
        <>
          <p role="status">{m.running} · {percent(j.fraction)}{j.left >= 0 && ` · ${m.left(duration(j.left))}`}</p>
          <progress max={1} value={j.fraction} aria-label={m.running} />
        </>
      ) : <p class="quiet">{m.idle} {j.ended && m.ended(momentName(j.ended, language.value))}</p>}
      {j.error && <Notice text={`${m.failed}: ${j.error}`} alarm>{j.hint && <p>{j.hint}</p>}</Notice>}
      {j.needs && <Notice text={m.needs}><p>{j.needs}</p></Notice>}
    </section>
  );
}

function OneJob({ job: k, onAgain }: { job: JobView; onAgain: (() => void) | null }) {
  const m = t.value.jobs;
  const fraction = k.total > 0 ? k.done / k.total : 0;
  return (
    <div class="job">
      <span><a class="mono" href={recordingPath(k.recording)}>{k.recording}</a> <span class="said" dir="auto"><Parts parts={reveal(k.file)} /></span></span>
      <span class={k.state === 'failed' && onAgain ? 'alert' : ''}>{k.stage && `${m.stages[k.stage] ?? k.stage} · `}{m.states[k.state] ?? k.state}</span>
      {k.state === 'working' && k.total > 0 ? (
        <span>
          <progress max={1} value={fraction} aria-label={`${k.recording} ${percent(fraction)}`} />
          <span class="mono quiet">{t.value.common.of(wholeClock(k.done), wholeClock(k.total))}{k.speed > 0 && ` · ${m.speed(number(Math.round(k.speed * 10) / 10))}`}</span>
        </span>
      ) : <span />}
      {k.state === 'failed' && onAgain ? <button type="button" onClick={onAgain}>{m.again}</button> : <span />}
      {(k.message || k.hint) && <p class="hint quiet">{k.message} {k.hint}</p>}
    </div>
  );
}

function duration(seconds: number): string {
  const m = t.value.jobs;
  const minutes = Math.round(seconds / 60);
  if (minutes < 1) return m.lessThanMinute;
  if (minutes < 90) return m.minutes(minutes);
  return m.hours(Math.round(minutes / 60));
}
