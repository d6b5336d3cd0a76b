import { expect, test } from 'vitest';
import { isNumber, setting } from './setting';

test('a setting is kept, unless it is the first one; what is kept and not valid is as if not kept', () => {
  const s = setting('test.a', 5, isNumber);
  s.value = 7;
  expect(setting('test.a', 5, isNumber).value).toBe(7);
  s.value = 5;
  expect(localStorage.getItem('earwitness.test.a')).toBeNull();
  localStorage.setItem('earwitness.test.b', '"many"');
  expect(setting('test.b', 5, isNumber).value).toBe(5);
});

test('what another window sets holds here too', () => {
  const s = setting('test.c', 5, isNumber);
  localStorage.setItem('earwitness.test.c', '9');
  dispatchEvent(new StorageEvent('storage', { key: 'earwitness.test.c' }));
  expect(s.value).toBe(9);
});
