import { expect, test, vi } from 'vitest';
import { Player, type AudioElement } from './player';
import { rate } from './time';

class FakeAudio implements AudioElement {
  src = '';
  currentTime = 0;
  playbackRate = 1;
  loop = false;
  volume = 1;
  ended = false;
  on: Record<string, () => void> = {};
  running = false;
  play = vi.fn(() => {
    this.running = true;
    return Promise.resolve();
  });
  pause() {
    this.running = false;
  }
  load() {
    this.currentTime = 0;
  }
  addEventListener(type: string, f: () => void) {
    this.on[type] = f;
  }
}

function setup() {
  const audio = new FakeAudio();
  const progress = vi.fn();
  const failed = vi.fn();
  const player = new Player(audio, { progress, failed });
  player.open({ recording: 'REC-0001', url: 'sound.wav', clip: (s) => Promise.resolve(`clip ${s.from}`), samples: 100 * rate });
  return { audio, player, progress, failed };
}

const line = { from: 10 * rate, to: 12 * rate };

test('a transmission played to its end counts as played', async () => {
  const { audio, player } = setup();
  await player.playSpan(line);
  expect(audio.src).toBe('clip 160000');
  audio.currentTime = 1;
  player.tick();
  expect(player.at.value).toBe(11 * rate);
  expect(player.covers(line)).toBe(false);
  audio.on['ended']?.();
  expect(player.covers(line)).toBe(true);
  expect(player.playing.value).toBe(false);
  expect(player.at.value).toBe(line.to);
});

test('a transmission played from its middle does not', async () => {
  const { audio, player } = setup();
  await player.playSpan(line, { from: 11 * rate });
  expect(audio.currentTime).toBe(1);
  audio.on['ended']?.();
  expect(player.covers(line)).toBe(false);
});

test('the seconds skipped are not played', async () => {
  const { audio, player } = setup();
  await player.playSpan(line);
  audio.currentTime = 0.5;
  player.tick();
  player.seek(11.5 * rate);
  audio.on['ended']?.();
  expect(player.covers(line)).toBe(false);
});

test('the slow replay lasts once', async () => {
  const { audio, player } = setup();
  await player.playSpan(line, { speed: 0.7 });
  expect(audio.playbackRate).toBe(0.7);
  audio.on['ended']?.();
  await player.playSpan(line);
  expect(audio.playbackRate).toBe(1);
});

test('a clip that arrives after another was asked for is not played', async () => {
  const audio = new FakeAudio();
  const player = new Player(audio, { progress: () => undefined, failed: () => undefined });
  const waiting: ((url: string) => void)[] = [];
  player.open({ recording: 'R', url: '', clip: () => new Promise((resolve) => waiting.push(resolve)), samples: 100 * rate });
  const first = player.playSpan(line);
  const second = player.playSpan({ from: 0, to: rate });
  waiting[1]?.('second');
  waiting[0]?.('first');
  await Promise.all([first, second]);
  expect(audio.src).toBe('second');
  expect(audio.play).toHaveBeenCalledTimes(1);
});

test('in the long run, transmissions are played as they pass', async () => {
  const { audio, player } = setup();
  await player.playOn(9 * rate);
  for (let s = 9; s <= 13; s += 0.25) {
    audio.currentTime = s;
    player.tick();
  }
  expect(player.covers(line)).toBe(true);
  expect(player.covers({ from: 8 * rate, to: 12 * rate })).toBe(false);
});

test('a failure is told, and the player stands still', async () => {
  const { audio, player, failed } = setup();
  audio.play.mockRejectedValueOnce(new Error('no'));
  await player.playSpan(line);
  expect(failed).toHaveBeenCalledOnce();
  expect(player.playing.value).toBe(false);
});
