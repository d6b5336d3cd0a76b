// Keys that a person bound in place of the catalogue's; kept in this browser.

import { setting } from '../ui/setting';
import { catalog, commandNames, type CommandName } from './catalog';
import { isSingle } from './chord';

export type Bindings = Partial<Record<CommandName, string[]>>;
const isBindings = (v: unknown): v is Bindings =>
  typeof v === 'object' && v !== null && Object.entries(v).every(([name, keys]) => name in catalog && Array.isArray(keys) && keys.every((k) => typeof k === 'string'));

const none: Bindings = {};
export const bindings = setting<Bindings>('keys.bound', none, isBindings);

export const keysOf = (name: CommandName): string[] => bindings.value[name] ?? catalog[name].keys;
export const isBound = (name: CommandName) => bindings.value[name] !== undefined;

/** Keys that browsers keep for themselves, or that lead out of the list of keys itself. */
const kept = new Set(['Ctrl+t', 'Ctrl+w', 'Ctrl+n', 'Ctrl+l', 'Ctrl+r', 'Ctrl+f', 'Ctrl+p', 'Ctrl+c', 'Ctrl+v', 'Ctrl+x', 'Ctrl+a', 'Ctrl+Tab', 'Ctrl+Shift+Tab', 'Tab', 'Shift+Tab', 'Escape', 'F5', 'F12']);

export type Refusal = { kind: 'browser' } | { kind: 'letter' } | { kind: 'clash'; with: CommandName } | null;

/** Why a key cannot be a command's, or null where it can. */
export function refusal(name: CommandName, chord: string): Refusal {
  if (kept.has(chord)) return { kind: 'browser' };
  const field = catalog[name].field;
  if (field === 'only' && isSingle(chord)) return { kind: 'letter' };
  const other = commandNames.find((n) => n !== name && meets(n, name) && keysOf(n).some((k) => k === chord || k.startsWith(`${chord} `) || chord.startsWith(`${k} `)));
  return other ? { kind: 'clash', with: other } : null;
}

/** Gives a command a key, in place of those it has or beside them. */
export function bind(name: CommandName, chord: string, beside: boolean): void {
  set(name, beside ? [...new Set([...keysOf(name), chord])] : [chord]);
}

/** Takes a key, and those that begin with it, from a command. */
export function take(name: CommandName, chord: string): void {
  set(name, keysOf(name).filter((k) => k !== chord && !k.startsWith(`${chord} `)));
}

/** The catalogue's keys again. Those that another command was given meanwhile stay with that one, unless all are reset. */
export function reset(name: CommandName): void {
  const rest = { ...bindings.peek() };
  delete rest[name];
  bindings.value = Object.keys(rest).length > 0 ? rest : none;
  const free = catalog[name].keys.filter((k) => refusal(name, k)?.kind !== 'clash');
  if (free.length < catalog[name].keys.length) set(name, free);
}

export function resetAll(): void {
  bindings.value = none;
}

function set(name: CommandName, keys: string[]): void {
  bindings.value = { ...bindings.peek(), [name]: keys };
}

// Whether two commands can be meant by the same press: one works only while writing and the other never does, or not.
function meets(a: CommandName, b: CommandName): boolean {
  const [f, g] = [catalog[a].field, catalog[b].field];
  return f === 'only' ? g !== undefined : g === 'only' ? f !== undefined : true;
}
