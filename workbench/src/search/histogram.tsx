import { useMemo, useRef, useState } from 'preact/hooks';
import type { Hour } from '../api/types';
import { number, t } from '../i18n';
import { bars } from './hours';
import { timesOf } from './query';

const height = 56;

/** When what was found was said. Dragging over it, or its fields, narrows the query by time. */
export function Histogram({ hours, q, onTimes }: { hours: Hour[]; q: string; onTimes: (from: string, to: string) => void }) {
  const m = t.value.search;
  const list = useMemo(() => bars(hours), [hours]);
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  const svg = useRef<SVGSVGElement>(null);
  const times = timesOf(q);
  const most = Math.max(1, ...list.map((b) => b.count));
  const at = (e: PointerEvent) => {
    const r = svg.current?.getBoundingClientRect();
    return r ? Math.max(0, Math.min(list.length - 1, Math.floor(((e.clientX - r.left) / r.width) * list.length))) : 0;
  };
  const end = () => {
    if (!drag) return;
    const [a, b] = [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)];
    setDrag(null);
    onTimes(list[a]?.from ?? '', list[b]?.to ?? '');
  };
  const chosen = (i: number) => (drag ? i >= Math.min(drag.from, drag.to) && i <= Math.max(drag.from, drag.to) : true);
  return (
    <figure class="histogram">
      <figcaption class="quiet">{m.hours}</figcaption>
      {list.length > 0 && (
        <>
          <svg
            ref={svg} viewBox={`0 0 ${list.length} ${height}`} preserveAspectRatio="none" aria-hidden="true"
            onPointerDown={(e) => { e.currentTarget.setPointerCapture(e.pointerId); const i = at(e); setDrag({ from: i, to: i }); }}
            onPointerMove={(e) => drag && setDrag({ ...drag, to: at(e) })} onPointerUp={end} onPointerCancel={() => setDrag(null)}
          >
            {list.map((b, i) => (
              <g key={b.from}>
                <rect x={i} y={0} width={1} height={height} class="ground"><title>{`${b.from.replace('T', ' ')} – ${b.to.slice(11)}: ${number(b.count)}`}</title></rect>
                <rect x={i + 0.08} y={height - (b.count / most) * height} width={0.84} height={(b.count / most) * height} class={chosen(i) ? 'bar' : 'bar out'} />
              </g>
            ))}
          </svg>
          <div class="ends mono quiet"><span>{list[0]?.from.replace('T', ' ')}</span><span>{list.at(-1)?.to.replace('T', ' ')}</span></div>
        </>
      )}
      <div class="times">
        <label>{m.from} <input type="datetime-local" value={full(times.from)} onChange={(e) => onTimes(e.currentTarget.value, times.to)} /></label>
        <label>{m.to} <input type="datetime-local" value={full(times.to)} onChange={(e) => onTimes(times.from, e.currentTarget.value)} /></label>
        {(times.from || times.to) && <button type="button" onClick={() => onTimes('', '')}>{m.clearTime}</button>}
      </div>
    </figure>
  );
}

// A day alone is its begin, for a field that wants a minute.
const full = (s: string) => (/^\d{4}-\d{2}-\d{2}$/.test(s) ? `${s}T00:00` : s.slice(0, 16));
