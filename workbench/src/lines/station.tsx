import type { LineView, Station } from '../api/types';
import { t } from '../i18n';
import { Icon } from '../ui/icons';
import { Parts } from './said';
import { reveal } from './text';

/** A call sign, written as surely as it is known: solid, «named», ~by voice, guessed? */
export function CallSign({ station, strong }: { station: Station; strong?: boolean }) {
  const name = <Parts parts={reveal(station.call_sign)} />;
  const title = t.value.line.bases[station.basis] ?? station.basis;
  const written = station.basis === 'named' ? <>«{name}»</> : station.basis === 'voice' ? <>~{name}</> : station.basis === 'guessed' ? <>{name}?</> : name;
  return strong ? <b class="said" dir="auto" title={title}>{written}</b> : <span class="said" dir="auto" title={title}>{written}</span>;
}

export function From({ line }: { line: LineView }) {
  if (!line.from && !line.to) return null;
  return (
    <>
      {line.from ? <CallSign station={line.from} strong /> : <span class="quiet">?</span>}
      {line.to && <> <Icon name="arrow" /><span class="sr"> → </span> <CallSign station={line.to} /></>}
    </>
  );
}
