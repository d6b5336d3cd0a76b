// Marks are drawn: the fonts lack them, and a mark keeps its shape in every font and theme.

const paths = {
  play: 'M4 2.500v11l9-5.500z',
  pause: 'M4.500 3v10M11.500 3v10',
  machine: 'M8 2.200a5.800 5.800 0 1 1 0 11.600a5.800 5.800 0 1 1 0-11.600',
  corrected: 'M3 13l1-3.500L11 2.500l2.500 2.500-7 7zM9.500 4l2.500 2.500',
  verified: 'M1 8.500l3 3 5-7M7 11l.500.500 6-7',
  contested: 'M8 2v7M8 12.500v.010',
  waiting: 'M4 2h8M4 14h8M5 2c0 4 6 8 6 12M11 2c0 4-6 8-6 12',
  failed: 'M3 3l10 10M13 3L3 13',
  silent: 'M3 8h10',
  distress: 'M8 2l6.500 11.500h-13zM8 6.500v3M8 11.700v.010',
  return: 'M4 2v12M4 3h8l-2 2.500L12 8H4',
  original: 'M2.500 2.500h11v11h-11zM5.500 5.500h5v5h-5z',
  stale: 'M8 2a6 6 0 1 0 6 6M8 5v3l2 2',
  draft: 'M3 13h10M4 10l6-6 2 2-6 6H4z',
  loop: 'M3 7a4 4 0 0 1 4-4h5l-2-2m2 2l-2 2M13 9a4 4 0 0 1-4 4H4l2 2m-2-2l2-2',
  arrow: 'M2 8h11M9 4l4 4-4 4',
} satisfies Record<string, string>;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={paths[name]} stroke-dasharray={name === 'machine' ? '2.200 2.200' : undefined} fill={name === 'play' ? 'currentColor' : undefined} />
    </svg>
  );
}
