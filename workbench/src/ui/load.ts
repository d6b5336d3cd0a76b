import { signal, type ReadonlySignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';

interface Loaded<T> {
  value: ReadonlySignal<T | null>;
  error: ReadonlySignal<unknown>;
  /** Loads anew; the value shown meanwhile is the old one. */
  again: () => void;
}

/** Loads when it is mounted and whenever `deps` change. The answer to an older question never replaces a newer one's. */
export function useLoaded<T>(load: () => Promise<T>, deps: readonly unknown[]): Loaded<T> {
  const l = useMemo(() => {
    const value = signal<T | null>(null);
    const error = signal<unknown>(null);
    let asked = 0;
    const run = (f: () => Promise<T>) => {
      const mine = ++asked;
      f().then(
        (v) => {
          if (mine !== asked) return;
          value.value = v;
          error.value = null;
        },
        (e: unknown) => {
          if (mine === asked) error.value = e;
        },
      );
    };
    return { value, error, run, forget: () => asked++ };
  }, []);
  useEffect(() => {
    l.run(load);
    return () => void l.forget();
  }, deps);
  return { value: l.value, error: l.error, again: () => l.run(load) };
}
