import { keycaps } from './chord';

export function Keys({ chord }: { chord: string }) {
  return <span class="keycaps">{keycaps(chord).map((k, i) => <kbd key={i}>{k}</kbd>)}</span>;
}
