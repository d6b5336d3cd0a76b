import { useEffect } from 'preact/hooks';
import * as api from '../api/client';
import { onEvent } from '../api/events';
import type { CaseView, EntryView } from '../api/types';
import { language, number, percent, t } from '../i18n';
import { EntryText, kindName } from '../lines/entry';
import { StateMark } from '../lines/state';
import { plain } from '../lines/text';
import { recordingPath } from '../shell/router';
import type { Workspace } from '../shell/workspace';
import { momentName, wholeClock } from '../sound/time';
import { useLoaded } from '../ui/load';
import { Notice } from '../ui/notice';
import { spaced } from '../ui/scope';
import { Scroll } from '../ui/scroll';
import { Loading, Trouble } from '../ui/trouble';
import { Intake } from './intake';

const readStates = ['corrected', 'verified', 'disputed'];

/** The case at a glance: how far it is, what people did, and who bore how much of it. */
export function Home({ space }: { space: Workspace }) {
  const { value, error, again } = useLoaded(api.caseView, []);
  useEffect(() => {
    const soon = spaced(2000, again);
    const end = onEvent((e) => (e.kind === 'entries' || e.kind === 'again') && soon());
    return () => {
      end();
      soon.cancel();
    };
  }, []);
  const c = value.value;
  const m = t.value.home;
  return (
    <div class="page home">
      <header><h1 dir="auto">{c ? plain(c.title) || m.title : m.title}</h1></header>
      {!c && (error.value ? <Trouble error={error.value} again={again} /> : <Loading />)}
      {c && c.recordings === 0 && (
        <Intake space={space}>
          <Notice text={m.empty}><p>{m.emptyHow}</p><pre>earwitness add FILE...</pre></Notice>
        </Intake>
      )}
      {c && c.recordings > 0 && <Glance c={c} />}
    </div>
  );
}

function Glance({ c }: { c: CaseView }) {
  const m = t.value.home;
  const read = readStates.reduce((n, s) => n + (c.states[s] ?? 0), 0);
  const facts: [string, string, string?][] = [
    [m.recorded, `${t.value.count.recordings(c.recordings)}, ${wholeClock(c.samples)}`, '/recordings'],
    [m.lines, number(c.lines)],
    [m.read, c.lines > 0 ? `${number(read)} (${percent(read / c.lines)})` : number(read)],
    [m.doubtful, number(c.doubtful), '/doubts'],
    [m.untranslated, number(c.untranslated)],
  ];
  return (
    <>
      <dl class="facts">
        {facts.map(([name, value, path]) => <div key={name}><dt>{name}</dt><dd>{path ? <a href={path}>{value}</a> : value}</dd></div>)}
      </dl>
      <section>
        <h2>{m.states}</h2>
        <ul class="by-state">
          {Object.entries(c.states).filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1]).map(([s, n]) => (
            <li key={s}>
              <a href={`/search?q=state:${s.replaceAll(' ', '-')}`}><StateMark state={s} word={t.value.line.states[s] ?? s} /></a>
              <meter min={0} max={Math.max(1, c.lines)} value={n} aria-label={t.value.line.states[s] ?? s} />
              <span class="mono">{number(n)}</span>
            </li>
          ))}
        </ul>
      </section>
      <section>
        <h2>{m.recent}</h2>
        {c.recent.length === 0 ? <p class="quiet">{m.recentEmpty}</p> : <ol class="recent">{c.recent.map((e) => <Recent key={e.index} e={e} />)}</ol>}
      </section>
      <section>
        <h2>{m.carried}</h2>
        {c.carried.length === 0 ? <p class="quiet">{m.carriedEmpty}</p> : (
          <Scroll label={m.carried}><table>
            <thead><tr><th>{m.person}</th><th class="number">{m.played}</th><th class="number">{m.listened}</th><th class="number">{m.distress}</th><th class="number">{m.written}</th></tr></thead>
            <tbody>
              {c.carried.map((p) => (
                <tr key={p.person}>
                  <td dir="auto">{plain(p.person)}</td><td class="number">{number(p.played)}</td><td class="number">{wholeClock(p.samples)}</td>
                  <td class="number">{wholeClock(p.distress)}</td><td class="number">{number(p.written)}</td>
                </tr>
              ))}
            </tbody>
          </table></Scroll>
        )}
      </section>
      <section>
        <dl class="small">
          <dt>{m.origin}</dt><dd><code>{c.origin}</code></dd>
          <dt>{m.key}</dt><dd><code>{c.key}</code></dd>
          <dt>{m.entries}</dt><dd class="mono">{number(c.entries)}</dd>
        </dl>
      </section>
    </>
  );
}

function Recent({ e }: { e: EntryView }) {
  return (
    <li>
      <time class="quiet">{momentName(e.time, language.value)}</time>
      <b dir="auto">{plain(e.author)}</b>
      <span>
        <span class="quiet">{kindName(e)}</span>{' '}
        {e.recording && <a class="mono" href={recordingPath(e.recording, e.span)}>{e.recording}</a>} <EntryText e={e} />
      </span>
    </li>
  );
}
