import type { LineView } from '../api/types';

/** A row of the picture below the sound: all that one station sends, or all lines in one state. */
export interface Lane {
  name: string; // a call sign, or a state
  kind: 'station' | 'unknown' | 'others' | 'state';
  lines: LineView[];
}

const most = 8;

/** Lanes by call sign; by state as long as no call sign is known. Stations that speak most come first. */
export function lanesOf(lines: LineView[]): Lane[] {
  const known = lines.some((l) => l.from);
  const by = new Map<string, LineView[]>();
  for (const l of lines) {
    const name = known ? (l.from?.call_sign ?? '') : l.state;
    const list = by.get(name);
    if (list) list.push(l);
    else by.set(name, [l]);
  }
  const unknown = known ? by.get('') : undefined;
  if (known) by.delete('');
  const sorted = [...by].sort((a, b) => b[1].length - a[1].length);
  const room = most - (unknown ? 1 : 0);
  const shown = sorted.length > room ? sorted.slice(0, room - 1) : sorted;
  const rest = sorted.slice(shown.length).flatMap(([, list]) => list);
  const lanes: Lane[] = shown.map(([name, list]) => ({ name, kind: known ? 'station' : 'state', lines: list }));
  if (rest.length > 0) lanes.push({ name: '', kind: 'others', lines: rest.sort((a, b) => a.span.from - b.span.from) });
  if (unknown) lanes.push({ name: '', kind: 'unknown', lines: unknown });
  return lanes;
}
