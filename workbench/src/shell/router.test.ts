import { expect, test } from 'vitest';
import { parseAt, parseRoute, recordingPath, searchPath } from './router';

const at = (path: string) => parseRoute(new URL(path, 'http://127.0.0.1:8321'));

test('an address says what is shown', () => {
  expect(at('/')).toEqual({ screen: 'home' });
  expect(at('/recordings/')).toEqual({ screen: 'recordings' });
  expect(at('/search?q=%D0%BC%D0%BE%D1%81%D1%82')).toEqual({ screen: 'search', q: 'мост' });
  expect(at('/r/REC-0001?at=16000-32000&doubts=1')).toEqual({ screen: 'recording', id: 'REC-0001', at: { from: 16000, to: 32000 }, doubts: true });
  expect(at('/r/../etc')).toEqual({ screen: 'nowhere', path: '/etc' });
  expect(at('/r/REC-1')).toEqual({ screen: 'nowhere', path: '/r/REC-1' });
});

test('what is written is read', () => {
  const path = recordingPath('REC-0014', { from: 5, to: 9 }, true);
  expect(at(path)).toEqual({ screen: 'recording', id: 'REC-0014', at: { from: 5, to: 9 }, doubts: true });
  expect(at(searchPath('топливо from:Ясень'))).toEqual({ screen: 'search', q: 'топливо from:Ясень' });
});

test('seconds that are none are passed over', () => {
  expect(parseAt('9-5')).toBeNull();
  expect(parseAt('abc')).toBeNull();
  expect(parseAt('7')).toEqual({ from: 7, to: 7 });
});
