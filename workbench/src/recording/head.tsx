import type { LineView, RecordingView } from '../api/types';
import { exportURL } from '../api/client';
import { language, number, t } from '../i18n';
import { Parts } from '../lines/said';
import { reveal } from '../lines/text';
import { clock, dateName, wallClock, wholeClock } from '../sound/time';
import { toast } from '../ui/announce';
import { Icon } from '../ui/icons';

export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${t.value.common.copied}: ${text}`);
  } catch {
    toast(t.value.common.copyFailed, { hint: text, alarm: true });
  }
}

export function frequency(r: RecordingView): string {
  const hz = r.reception.frequency_hz;
  const mhz = hz ? t.value.units.mhz(new Intl.NumberFormat(language.value, { minimumFractionDigits: 3, maximumFractionDigits: 6 }).format(hz / 1e6)) : '';
  return [mhz, r.reception.mode ?? ''].filter(Boolean).join(' ');
}

/** When the recording begins, as surely as that is known: from a clock, or about. */
export function startName(r: RecordingView): string {
  const start = r.reception.start;
  const wall = wallClock(r.start ?? start?.time ?? '');
  if (!wall) return t.value.recording.noStart;
  const plus = start?.uncertainty_milli ?? 0;
  const time = plus > 0 ? t.value.recording.uncertain(wall.time, plus >= 60_000 ? t.value.units.min(number(Math.round(plus / 6000) / 10)) : t.value.units.s(number(plus / 1000))) : wall.time;
  return `${dateName(wall.date, language.value)}, ${time} ${wall.offset}`;
}

const formats = ['srt', 'vtt', 'jsonl', 'csv'];

/** The transcript as a file, of one recording or of all. */
export function ExportMenu({ recording }: { recording?: string }) {
  return (
    <details class="menu">
      <summary>{t.value.recording.export}</summary>
      <ul>{formats.map((f) => <li key={f}><a href={exportURL(f, recording)} download>{f}</a></li>)}</ul>
    </details>
  );
}

/** The one form in which seconds are named. A line that a cut has just made has none of the server's yet. */
export const citationOf = (recording: string, l: LineView) => l.citation || `${recording}@${clock(l.span.from)}-${clock(l.span.to)}`;

export function RecordingHead({ recording: r, read, of, mayExport }: { recording: RecordingView; read: number; of: number; mayExport: boolean }) {
  const m = t.value.recording;
  const short = `${r.digest.replace(/^sha256:/, '').slice(0, 4)}…${r.digest.slice(-4)}`;
  return (
    <header>
      <h1><span class="mono quiet">{r.recording}</span> <span dir="auto" class="said"><Parts parts={reveal(r.file)} /></span></h1>
      {frequency(r) && <b>{frequency(r)}</b>}
      <span class="quiet" title={r.reception.start?.basis}>{startName(r)}</span>
      <time>{wholeClock(r.samples)}</time>
      {r.synthetic && <span class="state doubt">{t.value.common.synthetic}</span>}
      <button type="button" class="plain" title={m.digest} onClick={() => void copy(r.digest)}><Icon name="original" /> {m.original} <code>{short}</code></button>
      <span class="end">
        <span class="mono">{m.read(number(read), number(of))}</span>
        {mayExport && <ExportMenu recording={r.recording} />}
      </span>
    </header>
  );
}
