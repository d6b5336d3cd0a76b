import { signal } from '@preact/signals';
import type { Span } from '../api/types';
import { Coverage } from './coverage';
import { lengthOf, rate } from './time';

/** What the player needs of an audio element. */
export interface AudioElement {
  src: string;
  currentTime: number;
  playbackRate: number;
  loop: boolean;
  volume: number;
  readonly ended: boolean;
  play(): Promise<void>;
  pause(): void;
  load(): void;
  addEventListener(type: 'ended' | 'error', f: () => void): void;
}

export interface Source {
  recording: string;
  /** The whole recording, with ranges. */
  url: string;
  /** An address of exactly these samples. */
  clip(s: Span): Promise<string>;
  samples: number;
}

export interface PlayOptions {
  from?: number;
  speed?: number; // for this once
  volume?: number;
}

const speeds = [0.5, 0.7, 0.85, 1, 1.25, 1.5, 2];

// A longer stretch is played out of the whole recording: a clip of it would have to arrive first.
const longestClip = 120 * rate;
// Browsers end a sound up to this early or late.
const slack = rate / 20;

/** Plays one recording. A transmission is a clip that the server cut at the sample; the long run is the whole file. */
export class Player {
  readonly playing = signal(false);
  /** The play head. */
  readonly at = signal(0);
  /** What is being played; null for the recording from here on. */
  readonly span = signal<Span | null>(null);
  readonly speed = signal(1);
  readonly loop = signal(false);
  /** Samples played since sound last began: the length that "inaudible" proposes. */
  readonly lastRun = signal(0);

  private source: Source | null = null;
  private coverage = new Coverage();
  private base = 0; // the sample at which the element's sound begins
  private whole = false; // it is the whole recording, not a clip
  private begun = 0; // where the run under way began
  private asked = 0; // counts what was asked for: a clip that arrives after something else was is not played
  private once: number | null = null; // a speed for this run only
  private loaded = ''; // the address that the element has

  constructor(
    private readonly audio: AudioElement,
    private readonly on: { failed: (e: unknown) => void; progress: () => void },
  ) {
    audio.addEventListener('ended', () => this.ended());
    audio.addEventListener('error', () => this.source && this.audio.src && this.stopWith(new Error('audio')));
  }

  open(source: Source): void {
    this.close();
    this.source = source;
  }

  close(): void {
    this.asked++;
    this.pause();
    this.source = null;
    this.coverage = new Coverage();
    this.span.value = null;
    this.at.value = 0;
    this.lastRun.value = 0;
    this.loaded = '';
  }

  /** Whether all of s was played since the recording was opened. */
  covers(s: Span): boolean {
    return this.coverage.covers(s, slack);
  }

  /** Plays s from its start, or from a sample in it. */
  async playSpan(s: Span, o: PlayOptions = {}): Promise<void> {
    const source = this.source;
    if (!source || lengthOf(s) <= 0) return;
    const mine = ++this.asked;
    this.halt();
    const from = o.from !== undefined && o.from >= s.from && o.from < s.to ? o.from : s.from;
    this.span.value = s;
    this.at.value = from;
    if (lengthOf(s) > longestClip) {
      this.load(source.url, 0, true);
    } else {
      let url: string;
      try {
        url = await source.clip(s);
      } catch (e) {
        if (mine === this.asked) this.stopWith(e);
        return;
      }
      if (mine !== this.asked) return;
      this.load(url, s.from, false);
    }
    this.once = o.speed ?? null;
    await this.start(from, o.volume ?? 1, mine);
  }

  /** Plays the recording on from a sample. */
  async playOn(from: number): Promise<void> {
    const source = this.source;
    if (!source) return;
    const mine = ++this.asked;
    this.halt();
    this.span.value = null;
    this.load(source.url, 0, true);
    this.once = null;
    await this.start(Math.min(from, source.samples), 1, mine);
  }

  async resume(): Promise<void> {
    const s = this.span.value;
    if (s && this.at.value < s.to) await this.playSpan(s, { from: this.at.value });
    else await this.playOn(this.at.value);
  }

  pause(): void {
    this.asked++;
    this.halt();
  }

  /** Moves the play head; what plays goes on playing from there. */
  seek(sample: number): void {
    const to = Math.max(0, Math.min(sample, this.source?.samples ?? 0));
    const s = this.span.value;
    if (!this.playing.value) {
      if (s && (to < s.from || to >= s.to)) this.span.value = null;
      this.at.value = to;
      return;
    }
    if (s && (to < s.from || to >= s.to)) {
      void this.playOn(to);
      return;
    }
    this.keepRun();
    this.audio.currentTime = (to - this.base) / rate;
    this.at.value = this.begun = to;
  }

  /** How loud what plays now is; what plays next is as loud as it is asked for. */
  setVolume(v: number): void {
    this.audio.volume = v;
  }

  /** Where the sound that plays began. */
  get runFrom(): number {
    return this.begun;
  }

  setSpeed(v: number): void {
    this.speed.value = v;
    this.once = null;
    this.audio.playbackRate = v;
  }

  stepSpeed(by: 1 | -1): void {
    const i = speeds.indexOf(this.speed.value);
    this.setSpeed(speeds[Math.max(0, Math.min(speeds.length - 1, (i < 0 ? 3 : i) + by))] ?? 1);
  }

  /** Reads where the sound is. Called once a frame while playing. */
  tick(): void {
    if (!this.playing.value) return;
    const at = this.base + Math.round(this.audio.currentTime * rate);
    if (at < this.at.value - slack) {
      // The sound went round: what came before was played to its end.
      this.coverage.add(this.begun, this.span.value?.to ?? this.at.value);
      this.begun = at;
      this.on.progress();
    }
    const s = this.span.value;
    if (s && this.whole && at >= s.to) {
      this.ended();
      return;
    }
    this.at.value = at;
    this.lastRun.value = at - this.begun;
    if (!s) this.keepRun(); // in the long run, transmissions end while it goes on
  }

  private load(url: string, base: number, whole: boolean): void {
    this.base = base;
    this.whole = whole;
    if (this.loaded === url) return;
    this.loaded = url;
    this.audio.src = url;
    this.audio.load();
  }

  private async start(from: number, volume: number, mine: number): Promise<void> {
    this.audio.loop = this.loop.value && !this.whole;
    this.audio.volume = volume;
    this.audio.currentTime = (from - this.base) / rate;
    this.audio.playbackRate = this.once ?? this.speed.value;
    this.at.value = this.begun = from;
    this.playing.value = true;
    try {
      await this.audio.play();
    } catch (e) {
      if (mine === this.asked) this.stopWith(e);
    }
  }

  private halt(): void {
    if (!this.playing.value) return;
    this.at.value = this.base + Math.round(this.audio.currentTime * rate);
    this.keepRun();
    this.audio.pause();
    this.playing.value = false;
  }

  private ended(): void {
    if (!this.playing.value) return;
    const s = this.span.value;
    this.at.value = s ? s.to : (this.source?.samples ?? this.at.value);
    this.keepRun();
    this.audio.pause();
    this.playing.value = false;
    this.once = null;
    if (s && this.loop.value) void this.playSpan(s);
  }

  private keepRun(): void {
    this.coverage.add(this.begun, this.at.value);
    this.lastRun.value = Math.max(this.lastRun.value, this.at.value - this.begun);
    this.on.progress();
  }

  private stopWith(e: unknown): void {
    this.playing.value = false;
    this.loaded = '';
    if (e instanceof DOMException && e.name === 'AbortError') return; // another sound took its place
    this.on.failed(e);
  }
}
