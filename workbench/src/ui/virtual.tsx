import type { ComponentChild, Ref } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Heights } from './heights';
import { Scope } from './scope';

interface Props<T> {
  items: T[];
  keyOf: (item: T) => string;
  /** Rows that stay in the page wherever one scrolls: the one with the focus, the one being edited. */
  keep: string[];
  estimate: number;
  /** Height of what covers the top of the view. */
  head: number;
  /** Counts up whenever the row of `keep[0]` is to be brought into view. */
  reveal: number;
  children: (item: T, index: number, place: RowPlace) => ComponentChild;
}

/** What a row's outermost element takes. */
export interface RowPlace {
  ref: Ref<HTMLDivElement>;
  style: { transform: string };
}

const beyond = 400; // pixels drawn above and below what is in view

/** Draws only the rows in view of its scrolling parent, each as high as it is. */
export function VirtualRows<T>({ items, keyOf, keep, estimate, head, reveal, children }: Props<T>) {
  const box = useRef<HTMLDivElement>(null);
  const [, redraw] = useState(0);
  const [printing, setPrinting] = useState(false);
  const view = useRef({ top: 0, height: 0 });
  const anchor = useRef<{ id: string; above: number } | null>(null);
  const kept = useRef(keep);
  kept.current = keep;
  const ids = useMemo(() => items.map(keyOf), [items]);
  const heights = useMemo(() => new Heights(estimate), []);
  useMemo(() => heights.setRows(ids), [ids]);
  const rows = useMemo(() => new Measure(heights, () => redraw((n) => n + 1)), []);

  useLayoutEffect(() => {
    const scroller = box.current?.parentElement;
    if (!scroller) return undefined;
    const look = () => {
      view.current.top = scroller.scrollTop;
      // What is to stay in place: the row one is on while it can be seen, else the first that can.
      const on = ids.indexOf(kept.current[0] ?? '');
      const seen = on >= 0 && heights.top(on + 1) > scroller.scrollTop && heights.top(on) < scroller.scrollTop + scroller.clientHeight;
      const row = seen ? on : heights.at(scroller.scrollTop);
      anchor.current = { id: ids[row] ?? '', above: scroller.scrollTop - heights.top(row) };
      redraw((n) => n + 1);
    };
    const sized = new ResizeObserver(() => {
      view.current.height = scroller.clientHeight;
      look();
    });
    sized.observe(scroller);
    scroller.addEventListener('scroll', look, { passive: true });
    return () => {
      sized.disconnect();
      scroller.removeEventListener('scroll', look);
    };
  }, [ids]);

  useLayoutEffect(() => () => rows.end(), []);

  // On paper there is no scrolling: every row is drawn, before the browser lays the pages out.
  useEffect(() => {
    const scope = new Scope();
    scope.listen(window, 'beforeprint', () => setPrinting(true));
    scope.listen(window, 'afterprint', () => setPrinting(false));
    return () => scope.end();
  }, []);

  // What one reads stays where it is while rows above turn out to be higher than was thought.
  useLayoutEffect(() => {
    const scroller = box.current?.parentElement;
    const a = anchor.current;
    if (!scroller || !a || (scroller.scrollTop === 0 && a.above <= 0 && a.id === ids[0])) return;
    const at = ids.indexOf(a.id);
    if (at < 0) return;
    // At the top, a row that stays in view may be moved down: the first row is not pushed out for it.
    if (scroller.scrollTop === 0 && heights.top(at + 1) <= scroller.clientHeight - head) return;
    const wanted = heights.top(at) + a.above;
    if (Math.abs(wanted - scroller.scrollTop) > 1) scroller.scrollTop = wanted;
  });

  useLayoutEffect(() => {
    const scroller = box.current?.parentElement;
    const at = ids.indexOf(keep[0] ?? '');
    if (!scroller || at < 0) return;
    const [top, bottom] = [heights.top(at), heights.top(at + 1)];
    const room = scroller.clientHeight - head;
    if (top < scroller.scrollTop) scroller.scrollTop = top - room / 6;
    else if (bottom > scroller.scrollTop + room) scroller.scrollTop = bottom - room + Math.min(room / 6, estimate);
    anchor.current = { id: ids[at] ?? '', above: scroller.scrollTop - top };
  }, [reveal]);

  const first = printing ? 0 : heights.at(view.current.top - beyond);
  const last = printing ? items.length : heights.at(view.current.top + view.current.height + beyond);
  const drawn = new Set<number>();
  for (let i = first; i <= last && i < items.length; i++) drawn.add(i);
  for (const id of keep) {
    const at = ids.indexOf(id);
    if (at >= 0) drawn.add(at);
  }
  return (
    <div ref={box} class="rows" role="rowgroup" style={{ height: `${heights.total}px` }}>
      {[...drawn].sort((a, b) => a - b).map((i) => {
        const item = items[i];
        return item === undefined ? null : children(item, i, { ref: rows.refOf(ids[i] ?? ''), style: { transform: `translateY(${heights.top(i)}px)` } });
      })}
    </div>
  );
}

/** Watches the heights of the rows that are in the page. */
class Measure {
  private readonly elements = new Map<string, HTMLElement>();
  private readonly names = new Map<Element, string>();
  private readonly refs = new Map<string, (e: HTMLDivElement | null) => void>();
  private readonly observer: ResizeObserver;

  constructor(heights: Heights, changed: () => void) {
    this.observer = new ResizeObserver((entries) => {
      let news = false;
      for (const e of entries) {
        const id = this.names.get(e.target);
        const height = e.borderBoxSize[0]?.blockSize ?? 0;
        if (id !== undefined && height > 0 && heights.measured(id, height)) news = true;
      }
      if (news) changed();
    });
  }

  refOf(id: string): (e: HTMLDivElement | null) => void {
    let ref = this.refs.get(id);
    if (!ref) {
      ref = (e) => {
        const old = this.elements.get(id);
        if (old === e) return;
        if (old) {
          this.observer.unobserve(old);
          this.names.delete(old);
          this.elements.delete(id);
        }
        if (e) {
          this.elements.set(id, e);
          this.names.set(e, id);
          this.observer.observe(e);
        } else {
          this.refs.delete(id);
        }
      };
      this.refs.set(id, ref);
    }
    return ref;
  }

  end(): void {
    this.observer.disconnect();
  }
}
