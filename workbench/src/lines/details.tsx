import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import * as api from '../api/client';
import type { LineView } from '../api/types';
import { language, languageName, number, percent, t } from '../i18n';
import type { RecordingStore } from '../recording/store';
import { momentName } from '../sound/time';
import { useLoaded } from '../ui/load';
import { Loading, Trouble } from '../ui/trouble';
import { diffWords, sideOf } from './diff';
import { EntryText, kindName } from './entry';
import { lineID } from './order';
import { Parts } from './said';
import { reveal } from './text';

/** What is known of a line beyond its words, and who stated what about it. */
export function Details({ store, line, onCopy }: { store: RecordingStore; line: LineView; onCopy: () => void }) {
  const m = t.value;
  const close = () => (store.panel.value = null);
  const d = m.details;
  const ref = useRef<HTMLElement>(null);
  useEffect(() => ref.current?.scrollIntoView({ block: 'nearest' }), []); // on a narrow page it is below the list
  return (
    <aside ref={ref} class="drawer" aria-label={d.title} data-region tabIndex={-1}>
      <header>
        <h2>{store.panel.value === 'difference' ? d.diff : d.title}</h2>
        <button type="button" class="plain" aria-label={m.common.close} onClick={close}>✕</button>
      </header>
      {line.machine && (store.panel.value === 'difference' || line.author) && <Difference line={line} />}
      {store.panel.value === 'details' && (
        <>
          <dl>
            {line.citation && <><dt>{d.citation}</dt><dd><Citation of={line.citation} /> <button type="button" onClick={onCopy}>{d.copy}</button></dd></>}
            {line.time && <><dt>{m.line.time}</dt><dd><time>{line.time}</time></dd></>}
            {line.reason && <><dt>{d.reason}</dt><dd><Parts parts={reveal(line.reason)} /></dd></>}
            <dt>{m.line.sound}</dt><dd>{m.line.sounds[line.sound] ?? line.sound}</dd>
            {line.lang && <><dt>{m.line.original}</dt><dd>{languageName(line.lang)}</dd></>}
            <dt>{m.line.snr}</dt><dd>{m.units.db(number(Math.round(line.snr_db * 10) / 10))}</dd>
            {line.model && <><dt>{m.line.model}</dt><dd><code>{line.model}</code></dd></>}
            {line.calls && <><dt>{m.line.calls}</dt><dd><Parts parts={reveal(line.calls)} /></dd></>}
            {line.from && <><dt>{m.stations.from}</dt><dd><Parts parts={reveal(line.from.call_sign)} /> · {m.line.bases[line.from.basis] ?? line.from.basis}</dd></>}
            {line.to && <><dt>{m.stations.to}</dt><dd><Parts parts={reveal(line.to.call_sign)} /> · {m.line.bases[line.to.basis] ?? line.to.basis}</dd></>}
            {(line.played || line.cut) && <><dt>{m.line.state}</dt><dd>{[line.played && m.line.played, line.cut && m.line.cut].filter(Boolean).join(', ')}</dd></>}
            {line.marks.map((k) => <Row key={k.entry} name={k.mark === 'distress' ? m.line.distress : m.line.return}>{m.line.by(k.by)} <Parts parts={reveal(k.note)} /></Row>)}
          </dl>
          {line.words.length > 0 && (
            <section>
              <h3>{d.words}</h3>
              <ul class="word-list" lang={line.lang}>
                {line.words.map((w, i) => <li key={i}><span dir="auto"><Parts parts={reveal(w[0])} /></span><small>{percent(w[3] / 10_000)}</small></li>)}
              </ul>
            </section>
          )}
          <History store={store} line={line} />
        </>
      )}
    </aside>
  );
}

// It is broken, where it must be, before the times, never within one.
function Citation({ of }: { of: string }) {
  const at = of.indexOf('@') + 1;
  return <code class="citation"><span>{of.slice(0, at)}</span><wbr /><span>{of.slice(at)}</span></code>;
}

function Row(props: { name: string; children: ComponentChildren }) {
  return <><dt>{props.name}</dt><dd>{props.children}</dd></>;
}

function Difference({ line }: { line: LineView }) {
  const d = t.value.details;
  if (line.text === line.machine) return <p class="quiet">{d.same}</p>;
  const parts = diffWords(line.machine, line.text);
  return (
    <section>
      <h3>{d.machine}{line.model && ` (${line.model})`}</h3>
      <p class="said" lang={line.lang} dir="auto"><Side parts={sideOf(parts, 'left')} /></p>
      <h3>{line.author || t.value.line.original}</h3>
      <p class="said" lang={line.lang} dir="auto"><Side parts={sideOf(parts, 'right')} /></p>
    </section>
  );
}

export function Side({ parts }: { parts: { text: string; differs: boolean }[] }) {
  return <>{parts.map((p, i) => (p.differs ? <span key={i} class="differs"><Parts parts={reveal(p.text)} /></span> : <Parts key={i} parts={reveal(p.text)} />))}</>;
}

function History({ store, line }: { store: RecordingStore; line: LineView }) {
  const d = t.value.details;
  const { value, error, again } = useLoaded(() => api.history(store.id, line.span), [lineID(line.span), line.entry, line.stations, line.translation?.entry, line.marks.length]);
  return (
    <section>
      <h3>{d.history}</h3>
      {error.value ? <Trouble error={error.value} again={again} /> : value.value === null ? <Loading /> : value.value.length === 0 ? <p class="quiet">{d.historyEmpty}</p> : (
        <ol class="history">
          {value.value.map((e) => (
            <li key={e.index}>
              <span class="quiet">{e.author} · <time>{momentName(e.time, language.value)}</time> · {kindName(e)} {e.index}</span>
              <EntryText e={e} />
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
