/** Goal: spellings of an instant are one text, and what is no instant is refused. Method: a table, and random instants and offsets. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { spellInstant, wireTime } from '../../../../src/kit/words/wire-time.ts';

const AT = '2026-11-20T09:30:00.000Z';

describe('a spelling of one instant', () => {
  test.each([
    AT,
    '2026-11-20T09:30:00Z',
    '2026-11-20t09:30:00z',
    '2026-11-20T09:30:00.0Z',
    '2026-11-20T09:30:00.000000Z',
    // Digits behind the millisecond are cut.
    '2026-11-20T09:30:00.000999999Z',
    '2026-11-20T09:30:00+00:00',
    '2026-11-20T09:30:00-00:00',
    '2026-11-20T10:30:00+01:00',
    '2026-11-20T00:30:00.000-09:00',
    '2026-11-21T09:29:00+23:59',
  ])('%s', (text) => {
    expect(wireTime.safeParse(text).success).toBe(true);
    expect(spellInstant(text)).toBe(AT);
  });

  test('with tenths of a second, in small letters', () => {
    expect(spellInstant('2026-11-20t09:30:00.5z')).toBe('2026-11-20T09:30:00.500Z');
    expect(spellInstant('2026-11-20t09:30:00.123456789+00:00')).toBe('2026-11-20T09:30:00.123Z');
  });
});

test.each([
  '2026-11-20T24:00:00Z',
  '2016-12-31T23:59:60Z',
  '2026-02-30T00:00:00Z',
  '2026-11-20T09:30:00+24:00',
  '2026-11-20T09:30:00+01:60',
  '2026-11-20T09:30:00+0100',
  '2026-11-20T09:30:00',
  '2026-11-20 09:30:00Z',
  '2026-11-20T09:30Z',
  'Fri, 20 Nov 2026 09:30:00 GMT',
  '1763631000',
  '',
])('no instant, which stays as it is, is %j', (text) => {
  expect(wireTime.safeParse(text).success).toBe(false);
  expect(spellInstant(text)).toBe(text);
});

test('every offset names the same instant', () => {
  const offset = fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 });
  const ms = fc.integer({ min: Date.UTC(2000, 0, 2), max: Date.UTC(2099, 0, 1) });
  fc.assert(
    fc.property(ms, offset, (atMs, minutes) => {
      const [hour, minute] = [Math.trunc(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
      const two = (part: number) => String(part).padStart(2, '0');
      const zone = `${minutes < 0 ? '-' : '+'}${two(hour)}:${two(minute)}`;
      const local = new Date(atMs + minutes * 60_000).toISOString().slice(0, -1);
      expect(spellInstant(local + zone)).toBe(new Date(atMs).toISOString());
    }),
  );
});
