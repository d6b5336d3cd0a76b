// Queries are text, in the address and in the field. Facets and the brush write into that text what a person could have typed.

/** The pieces of a query as they stand in it: words, phrases, filters. */
export function pieces(q: string): string[] {
  return q.match(/-?[\p{L}]+:"[^"]*"|-?"[^"]*"|\S+/gu) ?? [];
}

export const has = (q: string, filter: string) => pieces(q).includes(filter);

/** Adds a filter, or takes it away where it is there. */
export function toggle(q: string, filter: string): string {
  const list = pieces(q);
  return (list.includes(filter) ? list.filter((p) => p !== filter) : [...list, filter]).join(' ');
}

const isTime = (p: string, key: 'from' | 'to') => p.startsWith(`${key}:`) && /^\d/.test(p.slice(key.length + 1));

/** The times that a query asks for, as it has them; empty where it does not. */
export function timesOf(q: string): { from: string; to: string } {
  const of = (key: 'from' | 'to') => pieces(q).find((p) => isTime(p, key))?.slice(key.length + 1) ?? '';
  return { from: of('from'), to: of('to') };
}

export function setTimes(q: string, from: string, to: string): string {
  const rest = pieces(q).filter((p) => !isTime(p, 'from') && !isTime(p, 'to'));
  return [...rest, ...(from ? [`from:${from}`] : []), ...(to ? [`to:${to}`] : [])].join(' ');
}
