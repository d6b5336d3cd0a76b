// What a recording's screen does with its player.

import { useEffect, useMemo } from 'preact/hooks';
import * as api from '../api/client';
import type { LineView } from '../api/types';
import { t } from '../i18n';
import { hasMark } from '../lines/change';
import { firstAfter, lineAt, lineID } from '../lines/order';
import { noteSound } from '../sound/care';
import { Clips } from '../sound/clips';
import { autoPlay, distressMode, quietVolume } from '../sound/listening';
import { Player, type PlayOptions } from '../sound/player';
import { lengthOf, rate } from '../sound/time';
import { toast } from '../ui/announce';
import { settled } from '../ui/scope';
import { tell } from '../ui/trouble';
import type { RecordingStore } from './store';
import { bringIn, type View } from './view';

export function usePlayer(store: RecordingStore, view: { value: View; peek(): View }): Player {
  const { player, clips } = useMemo(() => {
    const clips = new Clips(api.clip);
    const audio = new Audio();
    audio.preservesPitch = true;
    const player = new Player(audio, {
      failed: (e) => {
        if (e instanceof DOMException && e.name === 'NotAllowedError') toast(t.value.player.blocked);
        else if (e instanceof Error && e.message === 'audio') toast(t.value.player.failed, { alarm: true });
        else tell(e);
      },
      progress: () => notePlayed(store, player),
    });
    return { player, clips };
  }, [store]);

  useEffect(() => {
    const ready = store.samples.subscribe((samples) => {
      if (samples > 0) player.open({ recording: store.id, url: api.soundURL(store.id), clip: (s) => clips.get(store.id, s), samples });
    });
    let frame = 0;
    const run = () => {
      player.tick();
      follow(store, player, view);
      frame = player.playing.peek() ? requestAnimationFrame(run) : 0;
    };
    const started = player.playing.subscribe((on) => {
      if (on && !frame) frame = requestAnimationFrame(run);
      if (on) noteSound();
    });
    const heard = setInterval(() => player.playing.peek() && noteSound(), 10_000);
    // Where one lands, the sound is at hand; it plays by itself only where that was asked for.
    let landed = '';
    const soon = settled(120, () => {
      const line = store.line.peek();
      if (!line || store.samples.peek() === 0 || lengthOf(line.span) > 120 * rate) return;
      const next = store.lines.peek()[store.index.peek() + 1];
      void clips.get(store.id, line.span).catch(() => undefined); // said when it is to be played
      if (next && lengthOf(next.span) < 60 * rate) void clips.get(store.id, next.span).catch(() => undefined);
    });
    const moved = store.active.subscribe((name) => {
      if (name === landed) return;
      const first = landed === '';
      landed = name;
      soon();
      if (!first && autoPlay.peek()) land(store, player);
    });
    return () => {
      ready();
      started();
      clearInterval(heard);
      moved();
      soon.cancel();
      cancelAnimationFrame(frame);
      player.close();
      clips.clear();
    };
  }, [player]);
  return player;
}

// In the long run, seconds that are hard to bear come unasked: they are skipped, played quietly, or waited at.
function spare(store: RecordingStore, player: Player, at: number): void {
  if (!player.playing.peek()) return;
  const line = lineAt(store.lines.peek(), at);
  const mark = line?.marks.find((k) => k.mark === 'distress' && k.span.from <= at && at < k.span.to);
  player.setVolume(mark && distressMode.peek() === 'quiet' ? quietVolume : 1);
  if (!mark || (player.runFrom >= mark.span.from && player.runFrom < mark.span.to)) return; // it was begun in there: that is asking
  if (distressMode.peek() === 'skip') {
    player.seek(mark.span.to);
    toast(t.value.player.skipped);
  } else if (distressMode.peek() === 'ask') {
    player.pause();
    toast(t.value.player.distress);
  }
}

// The long run takes the list along with it.
function follow(store: RecordingStore, player: Player, view: { value: View; peek(): View }): void {
  const at = player.at.peek();
  const v = view.peek();
  if (at > v.from + v.width * v.perPixel * 0.95 || at < v.from) view.value = bringIn(v, { from: at, to: at + v.width * v.perPixel * 0.8 }, store.samples.peek());
  if (player.span.peek()) return;
  spare(store, player, at);
  if (store.writing.peek()) return;
  const lines = store.lines.peek();
  const line = lines[firstAfter(lines, at)];
  if (line && line.span.from <= at && lineID(line.span) !== store.active.peek()) store.goTo(line);
}

function notePlayed(store: RecordingStore, player: Player): void {
  const lines = store.lines.peek();
  const at = firstAfter(lines, player.at.peek() - rate);
  for (const l of lines.slice(Math.max(0, at - 1), at + 2)) {
    if (!l.played && player.covers(l.span)) store.played(l);
  }
}

export function play(store: RecordingStore, player: Player, line: LineView, o: PlayOptions = {}): void {
  if (store.samples.peek() === 0) {
    toast(t.value.recording.noSound);
    return;
  }
  const quiet = hasMark(line, 'distress') && distressMode.peek() === 'quiet';
  void player.playSpan(line.span, quiet ? { ...o, volume: quietVolume } : o);
}

function land(store: RecordingStore, player: Player): void {
  const line = store.line.peek();
  if (!line) return;
  if (hasMark(line, 'distress')) {
    player.pause();
    toast(distressMode.peek() === 'skip' ? t.value.player.skipped : t.value.player.distress);
    return;
  }
  play(store, player, line);
}

export function toggle(store: RecordingStore, player: Player): void {
  if (player.playing.peek()) {
    player.pause();
    return;
  }
  const line = store.line.peek();
  const at = player.at.peek();
  // In the line one is on, or before one has moved the head: the line. Elsewhere the head was put there to listen from.
  if (line && at > line.span.from && at < line.span.to - rate / 50) play(store, player, line, { from: at });
  else if (line && (player.span.peek() || at === 0 || (at >= line.span.from && at <= line.span.to))) play(store, player, line);
  else void player.resume();
}
