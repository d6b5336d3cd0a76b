import type { PictureKind } from '../api/client';

type FetchTile = (kind: PictureKind, level: number, tile: number, signal: AbortSignal) => Promise<Uint8Array | null>;

type Entry = { state: 'here'; bytes: Uint8Array } | { state: 'asked'; abort: AbortController } | { state: 'later'; at: number };

const atOnce = 4; // of the six connections that a browser opens to a server: events and sound have theirs
const later = 1500; // until a tile that is not drawn yet is asked for again, ms

/** The tiles of one recording, as many as are worth keeping. Those last asked for are fetched first. */
export class Tiles {
  private readonly entries = new Map<string, Entry>();
  private wanted: { key: string; kind: PictureKind; level: number; tile: number }[] = [];
  private asking = 0;
  private ended = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly fetch: FetchTile,
    private readonly changed: () => void,
    private readonly most = 160,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** A tile that is here already. */
  peek(kind: PictureKind, level: number, tile: number): Uint8Array | null {
    const e = this.entries.get(`${kind} ${level} ${tile}`);
    return e?.state === 'here' ? e.bytes : null;
  }

  /** Names all tiles that are wanted now, the most wanted first. Those no longer wanted are not fetched. */
  want(list: { kind: PictureKind; level: number; tile: number }[]): void {
    const keys = new Set<string>();
    this.wanted = [];
    for (const w of list) {
      const key = `${w.kind} ${w.level} ${w.tile}`;
      keys.add(key);
      const e = this.entries.get(key);
      if (e?.state === 'here') {
        this.entries.delete(key); // used last, dropped last
        this.entries.set(key, e);
      } else if (!e || (e.state === 'later' && e.at <= this.now())) {
        this.wanted.push({ key, ...w });
      } else if (e.state === 'later') {
        this.lookAgain(e.at - this.now());
      }
    }
    for (const [key, e] of this.entries) {
      if (e.state === 'asked' && !keys.has(key)) e.abort.abort();
    }
    this.pump();
  }

  end(): void {
    this.ended = true;
    clearTimeout(this.timer);
    for (const e of this.entries.values()) if (e.state === 'asked') e.abort.abort();
    this.entries.clear();
    this.wanted = [];
  }

  private pump(): void {
    while (this.asking < atOnce) {
      const w = this.wanted.shift();
      if (!w) return;
      const abort = new AbortController();
      this.entries.set(w.key, { state: 'asked', abort });
      this.asking++;
      void this.fetch(w.kind, w.level, w.tile, abort.signal)
        .then((bytes) => this.arrived(w.key, bytes))
        .catch(() => (abort.signal.aborted ? this.entries.delete(w.key) : this.arrived(w.key, null)))
        .finally(() => {
          this.asking--;
          if (!this.ended) this.pump();
        });
    }
  }

  private arrived(key: string, bytes: Uint8Array | null): void {
    if (this.ended) return;
    this.entries.delete(key);
    if (bytes) {
      this.entries.set(key, { state: 'here', bytes });
      this.drop();
      this.changed();
    } else {
      this.entries.set(key, { state: 'later', at: this.now() + later });
      this.lookAgain(later);
    }
  }

  private lookAgain(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(this.changed, ms + 10);
  }

  private drop(): void {
    for (const [key, e] of this.entries) {
      if (this.entries.size <= this.most) return;
      if (e.state === 'here') this.entries.delete(key);
    }
  }
}
