import type { Span } from '../api/types';

interface Urls {
  create(b: Blob): string;
  revoke(url: string): void;
}

const browser: Urls = { create: (b) => URL.createObjectURL(b), revoke: (u) => URL.revokeObjectURL(u) };

/** Clips as blob addresses, the last few kept so that a replay and the next line begin at once. */
export class Clips {
  private readonly kept = new Map<string, Promise<string>>();

  constructor(
    private readonly fetch: (recording: string, s: Span) => Promise<Blob>,
    private readonly most = 12,
    private readonly urls: Urls = browser,
  ) {}

  get(recording: string, s: Span): Promise<string> {
    const key = `${recording} ${s.from}-${s.to}`;
    let url = this.kept.get(key);
    this.kept.delete(key);
    if (!url) {
      url = this.fetch(recording, s).then((b) => this.urls.create(b));
      url.catch(() => this.kept.delete(key)); // asked for again, it is fetched again
    }
    this.kept.set(key, url);
    if (this.kept.size > this.most) this.drop();
    return url;
  }

  clear(): void {
    while (this.kept.size > 0) this.drop();
  }

  private drop(): void {
    const [key, url] = this.kept.entries().next().value ?? [];
    if (key === undefined) return;
    this.kept.delete(key);
    url?.then((u) => this.urls.revoke(u), () => undefined);
  }
}
