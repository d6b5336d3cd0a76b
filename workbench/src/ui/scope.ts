/** Owns listeners, timers and whatever else must end, and ends it all at once. */
export class Scope {
  private ends: (() => void)[] = [];

  own(end: () => void): void {
    this.ends.push(end);
  }

  listen<K extends keyof WindowEventMap>(target: Window, type: K, f: (e: WindowEventMap[K]) => void, options?: AddEventListenerOptions): void;
  listen<K extends keyof HTMLElementEventMap>(target: HTMLElement, type: K, f: (e: HTMLElementEventMap[K]) => void, options?: AddEventListenerOptions): void;
  listen(target: EventTarget, type: string, f: (e: never) => void, options?: AddEventListenerOptions): void {
    target.addEventListener(type, f as EventListener, options);
    this.own(() => target.removeEventListener(type, f as EventListener, options));
  }

  every(ms: number, f: () => void): void {
    const id = setInterval(f, ms);
    this.own(() => clearInterval(id));
  }

  end(): void {
    for (const end of this.ends.splice(0).reverse()) end();
  }
}

/** Calls f once no call has come for so long, so not at all while they keep coming; `now` calls it at once if one is due. */
export function settled(ms: number, f: () => void): { (): void; now(): void; cancel(): void } {
  let id: ReturnType<typeof setTimeout> | undefined;
  const call = () => {
    clearTimeout(id);
    id = setTimeout(() => {
      id = undefined;
      f();
    }, ms);
  };
  call.cancel = () => {
    clearTimeout(id);
    id = undefined;
  };
  call.now = () => {
    if (id === undefined) return;
    call.cancel();
    f();
  };
  return call;
}

/** Calls f at most once in so long, however often it is called: so long after the first call, or `atOnce` and then after the last. */
export function spaced(ms: number, f: () => void, o: { atOnce?: boolean } = {}): { (): void; cancel(): void } {
  let id: ReturnType<typeof setTimeout> | undefined;
  let before = -Infinity;
  const run = () => {
    id = undefined;
    before = performance.now();
    f();
  };
  const call = () => {
    if (id !== undefined) return;
    const wait = o.atOnce ? before + ms - performance.now() : ms;
    if (wait <= 0) run();
    else id = setTimeout(run, wait);
  };
  call.cancel = () => {
    clearTimeout(id);
    id = undefined;
  };
  return call;
}
