/** Goal: a typed time becomes an instant, and the API refuses text that is no time. Method: texts, both ways. */
import { expect, test } from 'vitest';
import { readLocal, showLocal } from '../../../console/src/parts/local-time.ts';

test('a time of the zone becomes an instant and comes back', () => {
  for (const text of ['2026-11-25 21:32', '2026-02-01 00:00', '2026-11-25 21:32:05']) {
    expect(readLocal(text)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(showLocal(readLocal(text))).toBe(text);
  }
  expect(readLocal('2026-11-25')).toBe(readLocal('2026-11-25 00:00'));
  expect(readLocal('2026-11-25T21:32')).toBe(readLocal('2026-11-25 21:32'));
});

test('an instant and text that is no time stay unchanged', () => {
  for (const text of ['2026-11-25T12:00:00Z', '', 'soon', '2026-11-31', '2026-13-01 00:00']) {
    expect(readLocal(text)).toBe(text);
  }
  expect([showLocal('soon'), showLocal('')]).toEqual(['soon', '']);
});
