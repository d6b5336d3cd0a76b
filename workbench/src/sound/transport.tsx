import type { ComponentChildren } from 'preact';
import { keysOf } from '../keys/dispatch';
import type { CommandName } from '../keys/catalog';
import { Keys } from '../keys/keycap';
import { number, t } from '../i18n';
import { Icon } from '../ui/icons';
import { autoPlay } from './listening';
import type { Player } from './player';
import { rate, shortClock } from './time';

const hints: CommandName[] = ['help', 'play', 'open', 'next', 'previous', 'nextDoubt', 'fit'];

/** The play bar. Its slider says the position in words. */
export function Transport(props: { player: Player; samples: number; onToggle: () => void; children?: ComponentChildren }) {
  const { player, samples, onToggle } = props;
  const m = t.value.player;
  const playing = player.playing.value;
  return (
    <div class="transport" role="group" aria-label={m.label} data-region tabIndex={-1}>
      <button type="button" aria-label={playing ? m.pause : m.play} title={playing ? m.pause : m.play} onClick={onToggle}><Icon name={playing ? 'pause' : 'play'} /></button>
      <Position player={player} samples={samples} />
      <span class="mono">{m.speed(number(player.speed.value))}</span>
      <button type="button" class="plain" aria-pressed={player.loop.value} onClick={() => (player.loop.value = !player.loop.value)}>{player.loop.value ? m.loopOn : m.loopOff}</button>
      <button type="button" class="plain" aria-pressed={autoPlay.value} onClick={() => (autoPlay.value = !autoPlay.value)}>{autoPlay.value ? m.autoOn : m.autoOff}</button>
      {props.children}
      <span class="hints" aria-hidden="true">
        {hints.map((name) => <span key={name}><Keys chord={keysOf(name)[0] ?? ''} /> {t.value.keys.names[name]}</span>)}
      </span>
    </div>
  );
}

// Apart, as it alone is drawn anew at every frame.
function Position({ player, samples }: { player: Player; samples: number }) {
  const at = player.at.value;
  const s = Math.floor(at / rate);
  const key = (e: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageDown: -10, PageUp: 10 }[e.key];
    if (by === undefined || e.altKey || e.ctrlKey) return;
    e.preventDefault();
    player.seek(at + by * rate);
  };
  return (
    <span
      class="position mono" role="slider" tabIndex={0} aria-label={t.value.recording.position} aria-valuemin={0} aria-valuemax={Math.floor(samples / rate)} aria-valuenow={s}
      aria-valuetext={t.value.player.at(Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60)} onKeyDown={key}
    >{shortClock(at)}</span>
  );
}
