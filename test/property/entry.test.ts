/** Transactions packed into entries come out again, and nothing that is not an entry gets through. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  COUNT_MAX,
  decodeEntry,
  ENTRY_VERSION,
  type EntryFields,
  type EntryPayload,
  PACKED_BYTES_MAX,
  type PackedEntry,
  packAgain,
  packEntries,
} from '../../src/core/stream/entries/entry.ts';
import {
  ATTEMPTS_MAX,
  carriedDeliveries,
  ENTRY_ORIGINS,
  rowIdOf,
} from '../../src/core/stream/entries/entry-head.ts';
import { Failure } from '../../src/kit/words/failure.ts';
import { payloadsOf } from '../support/delivered.ts';

const text = (charsMax: number) =>
  fc.string({ minLength: 1, maxLength: charsMax, unit: 'grapheme' });
const optional = fc.option(text(20), { nil: null });
const timeMs = fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2100, 0) });
const letters = (length: number) =>
  fc.string({ minLength: length, maxLength: length, unit: fc.constantFrom(...'ABCXYZ') });

const payload: fc.Arbitrary<EntryPayload> = fc.record({
  transaction: fc.record({
    transactionId: fc.uuid(),
    createdAtMs: timeMs,
    receivedAtMs: timeMs,
    accountId: text(30),
    merchantId: fc.oneof(fc.constant('m_1'), text(30)),
    amount: fc
      .tuple(fc.integer({ min: 0, max: 999_999_999 }), fc.integer({ min: 0, max: 99 }))
      .map(([units, cents]) => `${units}.${String(cents).padStart(2, '0')}`),
    currency: fc.oneof(fc.constant('USD'), letters(3)),
    corridor: fc.tuple(letters(2), letters(2)).map(([from, to]) => `${from}-${to}`),
    type: optional,
    ip: optional,
    deviceId: optional,
    country: fc.constant(null),
    channel: optional,
    declared: optional,
  }),
  attempt: fc.integer({ min: 1, max: ATTEMPTS_MAX }),
  origin: fc.constantFrom(...ENTRY_ORIGINS),
  replyTo: fc.option(fc.uuid(), { nil: null }),
  rowId: fc.option(fc.uuid(), { nil: null }),
  sender: fc.option(fc.constantFrom('00-a', '00-b'), { nil: null }),
});
const payloads = fc.array(payload, { minLength: 1, maxLength: 20 });
/** Payloads of one head, hence of one entry. */
const alike = fc
  .tuple(payload, payloads)
  .map(([{ attempt, origin, replyTo, rowId }, all]) =>
    all.map((one) => ({ ...one, attempt, origin, replyTo, rowId })),
  );

const fieldsOf = (entry: PackedEntry): EntryFields => ({ ...entry, version: ENTRY_VERSION });
const withFields = (more: Partial<EntryPayload['transaction']>) => (one: EntryPayload) => ({
  ...one,
  sender: null,
  transaction: { ...one.transaction, ...more },
});
const shapesOf = (all: readonly EntryPayload[]) =>
  packEntries(all).map(({ transactions, head }) => [transactions, head]);
const byId = (one: EntryPayload, other: EntryPayload) =>
  one.transaction.transactionId < other.transaction.transactionId ? -1 : 1;

describe('entries', () => {
  test('come out as they went in, those of one head in their order', () => {
    fc.assert(
      fc.property(payloads, (all) => {
        const entries = packEntries(all);
        const decoded = entries.flatMap((entry) => payloadsOf(fieldsOf(entry)));
        expect(decoded.toSorted(byId)).toEqual(all.toSorted(byId));
        expect(entries.flatMap((entry) => entry.payloads)).toEqual(decoded);
      }),
    );
    fc.assert(
      fc.property(alike, fc.nat({ max: 99 }), (all, deliveries) => {
        const entry = packAgain(all, deliveries);
        expect(payloadsOf(fieldsOf(entry))).toEqual(all);
        expect(carriedDeliveries(entry.head)).toBe(deliveries);
      }),
    );
  });

  test('are shared by transactions of several senders', () => {
    fc.assert(
      fc.property(alike, (all) => {
        expect(shapesOf(all)).toEqual(shapesOf(all.map(withFields({}))));
      }),
    );
  });

  test('hold as many as they may, and fewer of the longest texts', () => {
    const [one] = fc.sample(payload, { numRuns: 1, seed: 7 });
    if (one === undefined) throw new Error('no payload');
    const copies = (count: number, more: Partial<EntryPayload['transaction']>) =>
      Array.from({ length: count }, () => ({
        ...one,
        transaction: { ...one.transaction, ...more },
      }));
    expect(packEntries(copies(1000, {})).map((entry) => entry.transactions)).toEqual(
      new Array(8).fill(125),
    );
    const long = copies(COUNT_MAX, {}).map((each, index) => ({
      ...each,
      transaction: { ...each.transaction, accountId: `${index}${'𐍈'.repeat(120)}` },
    }));
    const entries = packEntries(
      long.map((each) => ({
        ...each,
        transaction: { ...each.transaction, merchantId: each.transaction.accountId },
      })),
    );
    expect(entries.length).toBeGreaterThan(1);
    for (const { packed } of entries) expect(packed.length).toBeLessThanOrEqual(PACKED_BYTES_MAX);
    expect(entries.flatMap((entry) => payloadsOf(fieldsOf(entry)))).toHaveLength(COUNT_MAX);
  });

  test('may have fields in the head that this version does not know', () => {
    fc.assert(
      fc.property(alike, fc.nat({ max: 99 }), (all, deliveries) => {
        const entry = packAgain(all, deliveries);
        const head = `later=x ${entry.head} deliveries_of=7`;
        expect(payloadsOf(fieldsOf({ ...entry, head }))).toEqual(all);
        expect(carriedDeliveries(head)).toBe(deliveries);
        expect(rowIdOf(head)).toBe(all[0]?.rowId);
      }),
    );
  });

  test('may have elements in a row that this version does not know', () => {
    fc.assert(
      fc.property(alike, fc.jsonValue(), (all, later) => {
        const { packed, ...rest } = packAgain(all);
        const rows: unknown[][] = JSON.parse(packed.toString());
        const longer = Buffer.from(JSON.stringify(rows.map((row) => [...row, later])));
        expect(payloadsOf(fieldsOf({ ...rest, packed: longer }))).toEqual(all);
      }),
    );
  });

  test('take at most 200 bytes a transaction of usual texts', () => {
    const [any] = fc.sample(payload, { numRuns: 1, seed: 7 });
    if (any === undefined) throw new Error('no payload');
    const places = { ip: '203.0.113.7', deviceId: null, country: 'US' };
    const texts = { accountId: 'account_12345', merchantId: 'merchant_678', declared: null };
    const usual = withFields({ ...places, ...texts, type: 'purchase', channel: 'app' });
    const { packed } = packAgain(Array.from({ length: COUNT_MAX }, () => usual(any)));
    expect(packed.length / COUNT_MAX).toBeLessThanOrEqual(200);
  });
});

/** Decodes, or throws a Failure that says why; nothing else. */
function decodeOrRefuse(fields: EntryFields): void {
  try {
    decodeEntry(fields);
  } catch (error) {
    expect(error).toBeInstanceOf(Failure);
    expect(error).toMatchObject({ kind: 'permanent' });
  }
}

describe('what is no entry', () => {
  test('is refused with a permanent failure when it is anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const fields = { version: ENTRY_VERSION, transactions: 1, head: 'attempt=1 origin=ingest' };
        expect(() => decodeEntry({ ...fields, packed: Buffer.from(bytes) })).toThrow(Failure);
      }),
    );
  });

  test('is decoded or refused, whatever became of its bytes', () => {
    const change = fc.record({ at: fc.nat(), to: fc.nat(255) });
    const damage = fc.record({
      changes: fc.array(change, { maxLength: 8 }),
      cut: fc.option(fc.nat(), { nil: null }),
      transactions: fc.option(fc.nat(200), { nil: null }),
    });
    fc.assert(
      fc.property(alike, damage, (all, { changes, cut, transactions }) => {
        const entry = packAgain(all);
        const packed = Buffer.from(entry.packed);
        for (const { at, to } of changes) packed[at % packed.length] = to;
        decodeOrRefuse({
          ...fieldsOf(entry),
          packed: cut === null ? packed : packed.subarray(0, cut % packed.length),
          transactions: transactions ?? entry.transactions,
        });
      }),
      { numRuns: 2000 },
    );
  });

  const [all = []] = fc.sample(alike, { numRuns: 1, seed: 5 });
  const good = fieldsOf(packAgain(all));
  const spoilt = (more: Partial<EntryPayload['transaction']>): EntryFields =>
    fieldsOf(
      packAgain(all.map((one) => ({ ...one, transaction: { ...one.transaction, ...more } }))),
    );

  test.each<[string, EntryFields, RegExp]>([
    ['of another version', { ...good, version: '1' }, /version 1 is unknown/],
    ['without a version', { ...good, version: null }, /version missing is unknown/],
    ['without a head', { ...good, head: null }, /the head is missing/],
    ['with a bare word as head', { ...good, head: 'attempt=1 ingest' }, /the head is missing/],
    ['of a fifth attempt', { ...good, head: 'attempt=5 origin=ingest' }, /attempt is not/],
    ['of an unknown origin', { ...good, head: 'attempt=1 origin=no' }, /origin no is unknown/],
    ['without a value', { ...good, packed: null }, /the packed value is missing/],
    ['of another count', { ...good, transactions: 99 }, /n is not the count/],
    ['too long', { ...good, packed: Buffer.alloc(PACKED_BYTES_MAX + 1) }, /has more than/],
    ['without a decimal', spoilt({ amount: '1e3' }), /amount is not a decimal/],
    ['without an account', spoilt({ accountId: '' }), /account_id is missing/],
    ['before 2000', spoilt({ createdAtMs: 1 }), /created_at is not a time/],
    ['at no time', spoilt({ receivedAtMs: Number.NaN }), /received_at is not a time/],
    ['of a long currency', spoilt({ currency: 'USDT' }), /currency is not of 3/],
  ])('is refused by name: %s', (_what, fields, expected) => {
    expect(() => decodeEntry(fields)).toThrow(expected);
  });
});
