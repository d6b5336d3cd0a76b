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

/** Calls f once no call has come for so long; `now` calls it at once if one is due. */
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
