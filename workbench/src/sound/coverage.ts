import type { Span } from '../api/types';

/** What was played of a sound, as spans that neither touch nor overlap, in order. */
export class Coverage {
  private spans: Span[] = [];

  add(from: number, to: number): void {
    if (to <= from) return;
    const joined = { from, to };
    const rest = this.spans.filter((s) => {
      if (s.to < from || s.from > to) return true;
      joined.from = Math.min(joined.from, s.from);
      joined.to = Math.max(joined.to, s.to);
      return false;
    });
    this.spans = [...rest, joined].sort((a, b) => a.from - b.from);
  }

  /** Whether all of s was played, give or take what a browser's clock is off at the ends. */
  covers(s: Span, slack = 0): boolean {
    return this.spans.some((c) => c.from <= s.from + slack && c.to >= s.to - slack);
  }
}
