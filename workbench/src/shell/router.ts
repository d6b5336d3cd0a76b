// The address is the state: what is shown can be bookmarked, sent and gone back to.

import { computed, signal } from '@preact/signals';
import type { Span } from '../api/types';

export type Route =
  | { screen: 'home' }
  | { screen: 'recordings' }
  | { screen: 'recording'; id: string; at: Span | null; doubts: boolean }
  | { screen: 'search'; q: string }
  | { screen: 'doubts' }
  | { screen: 'jobs' }
  | { screen: 'people' }
  | { screen: 'nowhere'; path: string };

export function parseRoute(url: URL): Route {
  const path = url.pathname.replace(/\/+$/, '') || '/';
  switch (path) {
    case '/':
      return { screen: 'home' };
    case '/recordings':
      return { screen: 'recordings' };
    case '/search':
      return { screen: 'search', q: url.searchParams.get('q') ?? '' };
    case '/doubts':
      return { screen: 'doubts' };
    case '/jobs':
      return { screen: 'jobs' };
    case '/people':
      return { screen: 'people' };
  }
  const m = /^\/r\/(REC-[0-9]{4,})$/.exec(path);
  if (m?.[1]) return { screen: 'recording', id: m[1], at: parseAt(url.searchParams.get('at')), doubts: url.searchParams.has('doubts') };
  return { screen: 'nowhere', path };
}

/** Reads FROM-TO or FROM, in samples. */
export function parseAt(s: string | null): Span | null {
  const m = /^([0-9]{1,15})(?:-([0-9]{1,15}))?$/.exec(s ?? '');
  if (!m?.[1]) return null;
  const from = Number(m[1]);
  const to = m[2] ? Number(m[2]) : from;
  return to < from ? null : { from, to };
}

export function recordingPath(id: string, at?: Span | null, doubts = false): string {
  const query = [at ? `at=${at.from}-${at.to}` : '', doubts ? 'doubts=1' : ''].filter(Boolean).join('&');
  return `/r/${id}${query ? `?${query}` : ''}`;
}

export const searchPath = (q: string) => (q ? `/search?${new URLSearchParams({ q })}` : '/search');

const here = signal(typeof location === 'undefined' ? 'http://localhost/' : location.href);
export const route = computed(() => parseRoute(new URL(here.value)));

/** Goes to a path of the workbench. */
export function go(path: string): void {
  history.pushState(null, '', path);
  here.value = location.href;
}

/** Says where one is by now, without a step to go back to. */
export function stay(path: string): void {
  history.replaceState(history.state, '', path);
  here.value = location.href;
}

/** Follows links and the browser's own buttons without loading the page anew. */
export function watchLinks(): () => void {
  const back = () => (here.value = location.href);
  const click = (e: MouseEvent) => {
    if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    const a = e.target instanceof Element ? e.target.closest('a') : null;
    if (!a || a.target || a.hasAttribute('download') || a.origin !== location.origin || a.pathname.startsWith('/api/')) return;
    e.preventDefault();
    if (a.href !== location.href) go(a.href);
  };
  addEventListener('popstate', back);
  addEventListener('click', click);
  return () => {
    removeEventListener('popstate', back);
    removeEventListener('click', click);
  };
}
