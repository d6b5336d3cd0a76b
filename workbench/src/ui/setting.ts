import { signal, type Signal } from '@preact/signals';

/** A setting of this browser, kept across visits where the browser lets us. Anything kept that `valid` refuses is as if not kept. */
export function setting<T>(name: string, first: T, valid: (v: unknown) => v is T): Signal<T> {
  const key = `earwitness.${name}`;
  const s = signal(read(key, first, valid));
  s.subscribe((v) => {
    try {
      if (v === first) localStorage.removeItem(key);
      else localStorage.setItem(key, JSON.stringify(v));
    } catch {
      // Storage is full or forbidden: the setting holds until the page closes.
    }
  });
  // Another window of this browser has changed it.
  if (typeof addEventListener === 'function') addEventListener('storage', (e) => e.key === key && (s.value = read(key, first, valid)));
  return s;
}

function read<T>(key: string, first: T, valid: (v: unknown) => v is T): T {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key) ?? 'null');
    return valid(kept) ? kept : first;
  } catch {
    return first;
  }
}

export const isBoolean = (v: unknown): v is boolean => typeof v === 'boolean';
export const isNumber = (v: unknown): v is number => typeof v === 'number' && Number.isFinite(v);

export function oneOf<const T extends string>(...all: T[]): (v: unknown) => v is T {
  return (v): v is T => typeof v === 'string' && (all as string[]).includes(v);
}
