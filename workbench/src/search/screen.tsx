import { signal } from '@preact/signals';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import * as api from '../api/client';
import type { HitView, SearchView } from '../api/types';
import { language, languageName, number, t } from '../i18n';
import { useCommands } from '../keys/dispatch';
import { Parts, Said } from '../lines/said';
import { From } from '../lines/station';
import { LineState } from '../lines/state';
import { plain, reveal } from '../lines/text';
import { go, recordingPath, searchPath, stay } from '../shell/router';
import { Clips } from '../sound/clips';
import { clock, dateName, lengthOf, seconds, wallClock } from '../sound/time';
import { Icon } from '../ui/icons';
import { Notice } from '../ui/notice';
import { settled } from '../ui/scope';
import { setting } from '../ui/setting';
import { tell, Trouble } from '../ui/trouble';
import { Histogram } from './histogram';
import { has, setTimes, toggle } from './query';

const page = 50;
const isList = (v: unknown): v is string[] => Array.isArray(v) && v.every((s) => typeof s === 'string');
const saved = setting<string[]>('searches', [], isList);
const examples = ['топливо', '"вас понял"', 'state:not-understood', 'lang:uk snr:>10'];

/** What was last found, kept so that going back from a recording shows it at once. */
const last = signal<{ q: string; view: SearchView } | null>(null);

export function Search({ q }: { q: string }) {
  const m = t.value.search;
  const [typed, setTyped] = useState(q);
  const [error, setError] = useState<unknown>(null);
  const [tries, setTries] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const found = last.value?.q === q ? last.value.view : null;

  useEffect(() => setTyped(q), [q]);
  useEffect(() => input.current?.focus(), []);
  useEffect(() => {
    if (!q.trim()) return undefined;
    const abort = new AbortController();
    api.search(q, page, 0, abort.signal).then((view) => {
      last.value = { q, view };
      setError(null);
    }, (e: unknown) => !abort.signal.aborted && setError(e));
    return () => abort.abort();
  }, [q, tries]);

  const say = useMemo(() => {
    let text = '';
    const f = settled(250, () => stay(searchPath(text)));
    return { type: (s: string) => { text = s; f(); }, now: f.now, cancel: f.cancel };
  }, []);
  useEffect(() => () => say.cancel(), []);
  const ask = (s: string) => {
    say.cancel();
    go(searchPath(s));
  };
  const more = () => api.search(q, page, found?.hits.length ?? 0).then((next) => {
    if (found && last.peek()?.q === q) last.value = { q, view: { ...found, hits: [...found.hits, ...next.hits] } };
  }, tell);

  return (
    <div class="page search">
      <header>
        <h1 class="sr">{m.title}</h1>
        <form role="search" onSubmit={(e) => { e.preventDefault(); ask(typed); }}>
          <input
            ref={input} type="search" aria-label={m.title} placeholder={m.placeholder} value={typed} dir="auto" spellcheck={false}
            onInput={(e) => { setTyped(e.currentTarget.value); say.type(e.currentTarget.value); }}
          />
          <button type="button" disabled={!q || saved.value.includes(q)} onClick={() => (saved.value = [q, ...saved.value].slice(0, 50))}>{m.save}</button>
        </form>
        {found && <span class="mono" role="status">{m.found(found.total)}</span>}
      </header>
      {!q.trim() ? <Start onAsk={ask} /> : error ? <Trouble error={error} again={() => setTries(tries + 1)} /> : found && (
        <div class="columns">
          <Facets view={found} q={q} onAsk={ask} />
          <section aria-label={m.results}>
            {found.hours.length > 0 && <Histogram hours={found.hours} q={q} onTimes={(from, to) => ask(setTimes(q, from, to))} />}
            {found.undated > 0 && <p class="quiet">{m.undated(found.undated)}</p>}
            {found.total === 0 && (
              <Notice text={m.nothing}>
                {found.hints.length > 0 && <p>{m.didYouMean} {found.hints.map((h, i) => <span key={h}>{i > 0 && ', '}<a href={searchPath(h)} dir="auto">{plain(h)}</a></span>)}?</p>}
              </Notice>
            )}
            <Hits hits={found.hits} />
            {found.hits.length < found.total && <button type="button" onClick={() => void more()}>{t.value.common.more}</button>}
          </section>
        </div>
      )}
    </div>
  );
}

function Start({ onAsk }: { onAsk: (q: string) => void }) {
  const m = t.value.search;
  return (
    <Notice text={m.empty}>
      <h2>{m.examples}</h2>
      <ul class="saved">{examples.map((e) => <li key={e}><a href={searchPath(e)}><code>{e}</code></a></li>)}</ul>
      {saved.value.length > 0 && (
        <>
          <h2>{m.saved}</h2>
          <ul class="saved">
            {saved.value.map((s) => (
              <li key={s}>
                <button type="button" class="plain" onClick={() => onAsk(s)} dir="auto">{plain(s)}</button>
                <button type="button" class="plain" aria-label={m.forget(s)} onClick={() => (saved.value = saved.value.filter((o) => o !== s))}>✕</button>
              </li>
            ))}
          </ul>
        </>
      )}
    </Notice>
  );
}

function Facets({ view, q, onAsk }: { view: SearchView; q: string; onAsk: (q: string) => void }) {
  const m = t.value.search;
  return (
    <aside class="facets" aria-label={m.facets} data-region>
      {view.facets.filter((f) => f.values.length > 0).map((f) => (
        <section key={f.name}>
          <h2>{m.facet[f.name] ?? f.name}</h2>
          <ul>
            {f.values.map((v) => (
              <li key={v.value}>
                <button type="button" class="plain" aria-pressed={has(q, v.filter)} onClick={() => onAsk(toggle(q, v.filter))}>
                  <span dir="auto">{facetName(f.name, v.value)}</span> <span class="mono">{number(v.count)}</span>
                </button>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </aside>
  );
}

function facetName(facet: string, value: string): string {
  switch (facet) {
    case 'state':
      return t.value.line.states[value] ?? value;
    case 'sound':
      return t.value.line.sounds[value] ?? value;
    case 'language':
      return languageName(value);
    default:
      return plain(value);
  }
}

/** Lines that were found. Up and down go from one to the next, Space plays, Enter opens. */
function Hits({ hits }: { hits: HitView[] }) {
  const list = useRef<HTMLOListElement>(null);
  const playing = useMemo(() => signal(''), []);
  const sound = useMemo(() => ({ audio: new Audio(), clips: new Clips(api.clip) }), []);
  useEffect(() => {
    const done = () => (playing.value = '');
    sound.audio.addEventListener('ended', done);
    return () => {
      sound.audio.removeEventListener('ended', done);
      sound.audio.pause();
      sound.clips.clear();
    };
  }, [sound]);

  const play = async (h: HitView) => {
    const id = h.line.citation;
    sound.audio.pause();
    if (playing.peek() === id) {
      playing.value = '';
      return;
    }
    playing.value = id;
    try {
      const url = await sound.clips.get(h.recording, h.line.span);
      if (playing.peek() !== id) return;
      sound.audio.src = url;
      await sound.audio.play();
    } catch (e) {
      playing.value = '';
      tell(e);
    }
  };
  const move = (by: number) => {
    const rows = [...(list.current?.querySelectorAll<HTMLElement>('a.hit-link') ?? [])];
    const at = rows.findIndex((r) => r === document.activeElement);
    rows[Math.max(0, Math.min(rows.length - 1, at + by))]?.focus();
  };
  const here = () => hits.find((h) => h.line.citation === (document.activeElement instanceof HTMLElement ? document.activeElement.dataset['citation'] : undefined));
  useCommands({
    next: () => move(1),
    previous: () => move(-1),
    play: () => {
      const h = here();
      if (!h) return false;
      void play(h);
      return undefined;
    },
  });
  return (
    <ol ref={list} class="hits">
      {hits.map((h) => (
        <li key={h.line.citation}>
          <button type="button" class="plain" tabIndex={-1} aria-label={t.value.player.play} onClick={() => void play(h)}><Icon name={playing.value === h.line.citation ? 'pause' : 'play'} /></button>
          <span class="mono quiet">{t.value.units.s(number(Math.round(seconds(lengthOf(h.line.span)) * 10) / 10))}</span>
          <div>
            <div class="about">
              <a
                class="hit-link mono" href={recordingPath(h.recording, h.line.span)} data-citation={h.line.citation}
                onKeyDown={(e) => {
                  if (e.code === 'Space') { e.preventDefault(); void play(h); }
                  else if (e.key === 'ArrowDown' || e.key === 'ArrowUp') { e.preventDefault(); move(e.key === 'ArrowDown' ? 1 : -1); }
                }}
              >{h.recording} {clock(h.line.span.from)}</a>
              <span class="quiet">{whenOf(h)}</span>
              <span class="quiet said" dir="auto"><Parts parts={reveal(h.file)} /></span>
              <From line={h.line} />
              <LineState line={h.line} />
            </div>
            <Excerpt hit={h} />
            {h.line.translation?.text && <div class="quiet"><Said text={h.line.translation.text} lang={h.line.translation.language} /></div>}
          </div>
        </li>
      ))}
    </ol>
  );
}

function whenOf(h: HitView): string {
  const w = wallClock(h.line.time);
  return w ? `${dateName(w.date, language.value)}, ${w.time}` : '';
}

function Excerpt({ hit: h }: { hit: HitView }) {
  const characters = [...h.line.text];
  const { from, to } = h.excerpt.to > h.excerpt.from ? h.excerpt : { from: 0, to: characters.length };
  const marks = h.matches.filter((r) => r.from >= from && r.to <= to).map((r) => ({ from: r.from - from, to: r.to - from }));
  return (
    <div>
      {from > 0 && '…'}
      <Said text={characters.slice(from, to).join('')} lang={h.line.lang} machine={h.line.author === ''} marks={marks} />
      {to < characters.length && '…'}
    </div>
  );
}
