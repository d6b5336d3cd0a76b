// Bytes to colours. Both ways run evenly from dark to light or back, so that they survive a print without colour.

type RGB = [number, number, number];

const ways: Record<'light' | 'dark', RGB[]> = {
  light: [[250, 248, 243], [222, 222, 222], [142, 156, 192], [62, 84, 146], [22, 32, 74]], // paper to ink blue
  dark: [[20, 23, 28], [48, 38, 26], [124, 78, 22], [214, 148, 52], [255, 226, 168]], // night to amber
};

/** A colour for every byte, as ImageData has it. A gain above 1 shows fainter sound; what is below the floor is paper. */
export function colourTable(theme: 'light' | 'dark', gain: number, floor = usualFloor): Uint32Array<ArrayBuffer> {
  const way = ways[theme];
  const table = new Uint32Array(256);
  const little = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
  for (let b = 0; b < 256; b++) {
    const [r, g, bl] = mix(way, shade(b, gain, floor));
    table[b] = (little ? (255 << 24) | (bl << 16) | (g << 8) | r : (r << 24) | (g << 16) | (bl << 8) | 255) >>> 0;
  }
  return table;
}

const usualFloor = 60; // the byte of a quiet receiver's noise, about -86 dB
const loud = 235; // about -18 dB

/** How dark a byte is, 0 to 1. */
function shade(b: number, gain: number, floor: number): number {
  return Math.max(0, Math.min(1, ((b - floor) / (loud - floor)) * gain));
}

/** The byte that most of a picture stays below: the noise of the receiver, against which voices are to stand out. */
export function floorOf(bytes: Uint8Array): number {
  const count = new Uint32Array(256);
  let all = 0;
  for (const b of bytes) {
    if (b === 0) continue; // digital silence, or filtered away
    count[b] = (count[b] ?? 0) + 1;
    all++;
  }
  if (all === 0) return usualFloor;
  let below = 0;
  for (let b = 0; b < 256; b++) {
    below += count[b] ?? 0;
    if (below > all * 0.6) return Math.min(b, loud - 60);
  }
  return usualFloor;
}

function mix(way: RGB[], at: number): RGB {
  const x = at * (way.length - 1);
  const i = Math.min(way.length - 2, Math.floor(x));
  const [a, b] = [way[i], way[i + 1]];
  if (!a || !b) return [0, 0, 0];
  const part = x - i;
  return [0, 1, 2].map((k) => Math.round((a[k] ?? 0) + ((b[k] ?? 0) - (a[k] ?? 0)) * part)) as RGB;
}
