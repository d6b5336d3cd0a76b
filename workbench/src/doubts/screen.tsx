import { useEffect, useState } from 'preact/hooks';
import * as api from '../api/client';
import type { LineView } from '../api/types';
import { number, percent, t } from '../i18n';
import { doubtfulShare, doubtfulWords, threshold } from '../lines/doubt';
import { Said } from '../lines/said';
import { target } from '../lines/target';
import { recordingPath } from '../shell/router';
import { clock } from '../sound/time';
import { Notice } from '../ui/notice';
import { Loading, Trouble } from '../ui/trouble';

interface Found {
  recording: string;
  line: LineView;
}

const most = 200;

/** Where to look first: the lines of all recordings that the machine is least sure of. */
export function Doubts() {
  const m = t.value.doubts;
  const [lines, setLines] = useState<Found[]>([]);
  const [looked, setLooked] = useState<{ done: number; of: number } | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [tries, setTries] = useState(0);

  // Recording by recording, so that the first are there at once whatever the size of the case.
  useEffect(() => {
    let ended = false;
    const look = async () => {
      const recordings = (await api.recordings()).filter((r) => r.transmissions > 0);
      const all: Found[] = [];
      for (const [i, r] of recordings.entries()) {
        if (ended) return;
        setLooked({ done: i, of: recordings.length });
        const view = await api.lines(r.recording, target.peek());
        for (const line of view.lines) if (line.words.length > 0 && line.author === '' && !line.hidden) all.push({ recording: r.recording, line });
        if (!ended) setLines([...all]);
      }
      if (!ended) setLooked({ done: recordings.length, of: recordings.length });
    };
    setError(null);
    look().catch((e: unknown) => !ended && setError(e));
    return () => {
      ended = true;
    };
  }, [tries]);

  const below = threshold.value;
  const found = lines.filter((f) => doubtfulWords(f.line, below) > 0).sort((a, b) => doubtfulShare(b.line, below) - doubtfulShare(a.line, below));
  const done = looked !== null && looked.done === looked.of;
  return (
    <div class="page doubts">
      <header>
        <h1>{m.title} {done && <span class="mono quiet">{number(found.length)}</span>}</h1>
        <label class="line">
          {m.threshold}
          <input type="range" min={1000} max={9500} step={500} value={below} onInput={(e) => (threshold.value = Number(e.currentTarget.value))} /> <span class="mono">{percent(below / 10_000)}</span>
        </label>
      </header>
      <p class="quiet">{m.why}</p>
      {error ? <Trouble error={error} again={() => setTries(tries + 1)} /> : !looked ? <Loading /> : (
        <>
          {!done && <p class="quiet" role="status">{m.looking(number(looked.done), number(looked.of))}</p>}
          {done && found.length === 0 && <Notice text={m.empty} />}
          <ol>
            {found.slice(0, most).map((f) => {
              const path = recordingPath(f.recording, f.line.span, true);
              return (
                <li key={f.line.citation}>
                  <a class="doubt-row" href={path}>
                    <span class="mono">{f.recording} {clock(f.line.span.from)}</span>
                    <Said text={f.line.text} lang={f.line.lang} machine words={f.line.words} below={below} />
                    <span class="quiet">{m.words(doubtfulWords(f.line, below))}</span>
                  </a>
                </li>
              );
            })}
          </ol>
        </>
      )}
    </div>
  );
}
