import { useId, useState } from 'preact/hooks';
import type { LineView, Station } from '../api/types';
import { t } from '../i18n';
import { hasMark, markOn } from '../lines/change';
import { clock, parseClock } from '../sound/time';
import { Dialog } from '../ui/dialog';
import type { RecordingStore } from './store';

const bases = ['self-identified', 'named', 'voice', 'guessed'];

/** Who speaks to whom, and how that is known. */
export function AskStations({ store, line, first }: { store: RecordingStore; line: LineView; first: 'from' | 'to' }) {
  const m = t.value.stations;
  const [from, setFrom] = useState<Station>(line.from ?? { call_sign: '', basis: 'self-identified' });
  const [to, setTo] = useState<Station>(line.to ?? { call_sign: '', basis: 'named' });
  const known = useId();
  const close = () => (store.asking.value = null);
  const save = (e: Event) => {
    e.preventDefault();
    const after = { from: said(from), to: said(to) };
    close();
    if (same(line.from, after.from) && same(line.to, after.to)) return;
    store.change({ kind: 'stations', span: line.span, before: { from: line.from, to: line.to }, after });
  };
  const swap = () => {
    setFrom(to);
    setTo(from);
  };
  return (
    <Dialog title={m.title} close={t.value.common.close} onClose={close} wide>
      <form onSubmit={save}>
        <div class="merge">
          <StationField name={m.from} station={from} onChange={setFrom} list={known} focus={first === 'from'} />
          <StationField name={m.to} station={to} onChange={setTo} list={known} focus={first === 'to'} />
        </div>
        <datalist id={known}>{callSigns(store.lines.value).map((c) => <option key={c} value={c} />)}</datalist>
        <p class="quiet">{m.empty}</p>
        <div class="actions">
          <button type="button" onClick={swap}>{m.swap}</button>
          <button type="button" onClick={close}>{t.value.common.cancel}</button>
          <button type="submit" class="first">{t.value.common.save}</button>
        </div>
      </form>
    </Dialog>
  );
}

function StationField(props: { name: string; station: Station; onChange: (s: Station) => void; list: string; focus: boolean }) {
  const { name, station, onChange, list, focus } = props;
  const m = t.value;
  return (
    <section>
      <h3>{name}</h3>
      <label class="field">
        <span>{m.stations.callSign}</span>
        <input value={station.call_sign} list={list} autoFocus={focus} dir="auto" autocomplete="off" onFocus={(e) => e.currentTarget.select()} onInput={(e) => onChange({ ...station, call_sign: e.currentTarget.value })} />
      </label>
      <label class="field">
        <span>{m.stations.basis}</span>
        <select value={station.basis} onChange={(e) => onChange({ ...station, basis: e.currentTarget.value })}>
          {bases.map((b) => <option key={b} value={b}>{m.line.bases[b]}</option>)}
        </select>
      </label>
    </section>
  );
}

const said = (s: Station): Station | undefined => (s.call_sign.trim() ? { ...s, call_sign: s.call_sign.trim() } : undefined);
const same = (a: Station | undefined, b: Station | undefined) => a?.call_sign === b?.call_sign && a?.basis === b?.basis;

/** The call signs of a recording, those heard most first. */
function callSigns(lines: LineView[]): string[] {
  const count = new Map<string, number>();
  for (const l of lines) for (const s of [l.from, l.to]) if (s) count.set(s.call_sign, (count.get(s.call_sign) ?? 0) + 1);
  return [...count].sort((a, b) => b[1] - a[1]).map(([name]) => name);
}

/** Which seconds are hard to bear. */
export function AskDistress({ store, line }: { store: RecordingStore; line: LineView }) {
  const m = t.value.mark;
  const set = line.marks.find((k) => k.mark === 'distress');
  const seconds = set?.span ?? store.selection.value ?? line.span;
  const [from, setFrom] = useState(clock(seconds.from));
  const [to, setTo] = useState(clock(seconds.to));
  const [note, setNote] = useState(set?.note ?? '');
  const [wrong, setWrong] = useState(false);
  const close = () => (store.asking.value = null);
  const save = (e: Event) => {
    e.preventDefault();
    // A time that was not touched stays exact: what the field shows is rounded to the millisecond.
    const read = (s: string, kept: number) => (s === clock(kept) ? kept : parseClock(s));
    const [a, b] = [read(from, seconds.from), read(to, seconds.to)];
    if (a === null || b === null || b <= a) {
      setWrong(true);
      return;
    }
    close();
    store.change({ kind: 'mark', span: { from: a, to: b }, mark: 'distress', note: note.trim(), on: true });
  };
  const takeOff = () => {
    close();
    if (set) store.change({ kind: 'mark', span: set.span, mark: 'distress', note: set.note, on: false });
  };
  return (
    <Dialog title={m.distressTitle} close={t.value.common.close} onClose={close}>
      <form onSubmit={save} class="settings">
        <p>{m.distressWhy}</p>
        <div class="merge">
          <label class="field"><span>{m.from}</span><input class="mono" value={from} aria-invalid={wrong} onInput={(e) => setFrom(e.currentTarget.value)} /></label>
          <label class="field"><span>{m.to}</span><input class="mono" value={to} aria-invalid={wrong} onInput={(e) => setTo(e.currentTarget.value)} /></label>
        </div>
        {wrong && <p class="alert" role="alert">{m.badTime}</p>}
        <label class="field"><span>{m.note}</span><input value={note} dir="auto" autoFocus={!set} onInput={(e) => setNote(e.currentTarget.value)} /></label>
        <div class="actions">
          {set && <button type="button" onClick={takeOff}>{m.off}</button>}
          <button type="button" onClick={close}>{t.value.common.cancel}</button>
          <button type="submit" class="first" disabled={set !== undefined}>{m.set}</button>
        </div>
      </form>
    </Dialog>
  );
}

/** Sets the mark "to come back to" on a line, or takes it off. */
export function toggleReturn(store: RecordingStore, line: LineView): void {
  const set = hasMark(line, 'return') ? line.marks.find((k) => k.mark === 'return') : undefined;
  const span = set?.span ?? line.span;
  store.change({ kind: 'mark', span, mark: 'return', note: set?.note ?? '', on: markOn([line], span, 'return') === undefined });
}
