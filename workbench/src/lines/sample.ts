import type { LineView } from '../api/types';

/** A line for tests. */
export function sampleLine(from: number, to: number, more: Partial<LineView> = {}): LineView {
  return {
    citation: `REC-0001@${from}-${to}`, span: { from, to }, time: '', state: 'draft', reason: '', sound: 'speech', snr_db: 12, lang: 'ru', text: 'слова', author: '',
    second: '', entry: 0, basis: 7, rival: '', rival_entry: 0, rival_by: '', machine: 'слова', model: 'whisper-base', words: [], stations: 0, marks: [], calls: '', hidden: false,
    played: false, cut: false, ...more,
  };
}
