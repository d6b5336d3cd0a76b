import { signal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { isBoolean, setting } from '../ui/setting';
import { isField } from '../ui/typing';
import { keysOf } from './bindings';
import { catalog, commandNames, type CommandName } from './catalog';
import { chordOf, isSingle } from './chord';

/** What a command does; returning false leaves the key to the browser. */
export type Handler = (e?: KeyboardEvent) => unknown;
export type Handlers = Partial<Record<CommandName, Handler>>;

export const singleKeys = setting('keys.single', true, isBoolean);

export { keysOf };

// The newest screen's handlers come first: a dialog or an open field takes a key from the screen below it.
const layers: Handlers[] = [];
const layersChanged = signal(0);

export function provide(h: Handlers): () => void {
  layers.unshift(h);
  layersChanged.value++;
  return () => {
    layers.splice(layers.indexOf(h), 1);
    layersChanged.value++;
  };
}

/** Provides commands while the component is mounted. The handlers may be new at every render. */
export function useCommands(handlers: Handlers): void {
  const now = useRef(handlers);
  now.current = handlers;
  const names = Object.keys(handlers).join(' ');
  // Before the screen is drawn: a key pressed in between would be lost.
  useLayoutEffect(() => {
    const h: Handlers = {};
    for (const name of names.split(' ') as CommandName[]) h[name] = (e) => now.current[name]?.(e);
    return provide(h);
  }, [names]);
}

export function handlerOf(name: CommandName): Handler | undefined {
  for (const layer of layers) {
    const h = layer[name];
    if (h) return h;
  }
  return undefined;
}

/** The commands that can be given now. */
export function available(): CommandName[] {
  void layersChanged.value;
  return commandNames.filter((name) => handlerOf(name));
}

const sequenceWait = 1200;

/** Finds what a key press means. Exported for its tests. */
export class Dispatcher {
  private first = '';
  private firstAt = 0;

  /** Gives the key to a command; true if one took it. */
  press(e: KeyboardEvent): boolean {
    const chord = chordOf(e);
    if (!chord || e.isComposing || e.defaultPrevented) return false;
    const field = isField(e.target);
    const begun = this.first && e.timeStamp - this.firstAt < sequenceWait ? `${this.first} ${chord}` : '';
    this.first = '';
    const modal = document.querySelector('dialog[open]') !== null;
    for (const wanted of begun ? [begun, chord] : [chord]) {
      const single = isSingle(wanted) || wanted.includes(' ');
      if (single && (field || !singleKeys.value)) continue; // in a field it is a letter
      for (const name of commandNames) {
        if (!keysOf(name).includes(wanted)) continue;
        const entry = catalog[name];
        if (field ? !entry.field : entry.field === 'only') continue;
        if (modal && entry.group !== 'text') continue;
        if (entry.row && !inList(e.target)) continue;
        if (isActivation(chord) && !entry.row && !field && isControl(e.target)) continue;
        const handler = handlerOf(name);
        if (handler && handler(e) !== false) {
          e.preventDefault();
          return true;
        }
      }
      if (!field && !modal && singleKeys.value && commandNames.some((name) => keysOf(name).some((k) => k.startsWith(`${wanted} `)))) {
        this.first = wanted;
        this.firstAt = e.timeStamp;
      }
    }
    return false;
  }
}

// Space and the arrows belong to a button or a slider that has the focus.
const isActivation = (chord: string) => ['Space', 'Enter', 'ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight'].includes(chord);

function isControl(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('button, a, summary, select, input, [role=slider], [role=option]') !== null;
}

function inList(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('[role=grid]') !== null;
}

export function listenToKeys(): () => void {
  const d = new Dispatcher();
  const press = (e: KeyboardEvent) => void d.press(e);
  addEventListener('keydown', press);
  return () => removeEventListener('keydown', press);
}
