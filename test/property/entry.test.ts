/** What is packed into an entry comes out again, and nothing that is not an entry gets through. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import {
  ATTEMPTS_MAX,
  decodeEntry,
  ENTRY_ORIGINS,
  ENTRY_VERSION,
  type EntryPayload,
  encodeEntry,
} from '../../src/stream/entry.ts';

const text = (charsMax: number) =>
  fc.string({ minLength: 1, maxLength: charsMax, unit: 'grapheme' });
const optional = fc.option(text(20), { nil: null });
const timeMs = fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2100, 0) });
const letters = (length: number) =>
  fc.string({ minLength: length, maxLength: length, unit: fc.constantFrom(...'ABCXYZ') });

const payloads: fc.Arbitrary<EntryPayload> = fc.record({
  transaction: fc.record({
    transactionId: fc.uuid(),
    createdAtMs: timeMs,
    receivedAtMs: timeMs,
    accountId: text(30),
    merchantId: text(30),
    amount: fc
      .tuple(fc.integer({ min: 0, max: 999_999_999 }), fc.integer({ min: 0, max: 99 }))
      .map(([units, cents]) => `${units}.${String(cents).padStart(2, '0')}`),
    currency: letters(3),
    corridor: fc.tuple(letters(2), letters(2)).map(([from, to]) => `${from}-${to}`),
    type: optional,
    ip: optional,
    deviceId: optional,
    country: optional,
    channel: optional,
  }),
  attempt: fc.integer({ min: 1, max: ATTEMPTS_MAX }),
  origin: fc.constantFrom(...ENTRY_ORIGINS),
  replyTo: fc.option(fc.uuid(), { nil: null }),
});

describe('entry', () => {
  test('comes out as it went in', () => {
    fc.assert(
      fc.property(payloads, (payload) => {
        expect(decodeEntry(ENTRY_VERSION, encodeEntry(payload))).toEqual(payload);
      }),
    );
  });

  test('is refused with a permanent failure when it is anything else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (packed) => {
        expect(() => decodeEntry(ENTRY_VERSION, packed)).toThrow(Failure);
      }),
    );
  });

  test('is refused when one field is spoilt', () => {
    const required = [0, 1, 2, 3, 4, 5, 6, 7, 13];
    fc.assert(
      fc.property(
        payloads,
        fc.constantFrom(...required),
        fc.constantFrom<unknown>(null, 7, {}, '', 'NaN', '-1e400'),
        (payload, index, spoilt) => {
          const fields = JSON.parse(encodeEntry(payload)) as unknown[];
          // Account and merchant ids may be any text.
          fc.pre(!(typeof spoilt === 'string' && spoilt !== '' && (index === 3 || index === 4)));
          fc.pre(!(index === 6 && spoilt === 'NaN'));
          fields[index] = spoilt;
          expect(() => decodeEntry(ENTRY_VERSION, JSON.stringify(fields))).toThrow(Failure);
        },
      ),
    );
  });

  test('of another version is refused by name', () => {
    expect(() => decodeEntry('2', '[]')).toThrow(/version 2 is unknown/);
    expect(() => decodeEntry(null, '[]')).toThrow(/version missing is unknown/);
  });
});
