/** Replies of XREADGROUP and of the claim script, in every shape a server gives them. */
import { describe, expect, test } from 'vitest';
import { toClaimed } from '../../../../../src/core/stream/group/consumer-group.ts';
import { toDeliveries, toEntry } from '../../../../../src/core/stream/group/read-group.ts';
import { type StreamKeys, streamKeys } from '../../../../../src/core/stream/keys.ts';

/** As a connection gives bulk replies that are read as Buffers. */
const bulk = (reply: unknown): unknown => {
  if (Array.isArray(reply)) return reply.map(bulk);
  return typeof reply === 'string' ? Buffer.from(reply) : reply;
};
const AGAIN = 'attempt=1 origin=retry deliveries=2';
const FIRST = 'attempt=1 origin=ingest';
const FIELDS = ['v', '7', 'n', '3', 'h', AGAIN, 'd', 'x'];

const streams = ['US-EG', 'US-MX'].map((corridor) => streamKeys('m', corridor, 0));
const [a, b] = streams as [StreamKeys, StreamKeys];
const owner = { stream: a, consumer: 'c' };
const read = (reply: unknown) => toDeliveries(reply, streams, 'c');

describe('toDeliveries', () => {
  test('reads streams, entries and fields in any order', () => {
    const reply = [
      [a.transactions, [['1-0', FIELDS]]],
      [b.transactions, [['2-0', ['other', 'x', 'd', 'y', 'v', '7', 'h', FIRST, 'n', '1']]]],
    ];
    expect(read(bulk(reply))).toEqual([
      {
        stream: a,
        total: 0,
        entries: [entry('1-0', { deliveries: 3, carried: 2, head: AGAIN, transactions: 3 })],
      },
      {
        stream: b,
        total: 0,
        entries: [entry('2-0', { stream: b, packed: Buffer.from('y') })],
      },
    ]);
  });

  test('takes no entries for nothing, and a nil body for a deleted entry', () => {
    expect(read(null)).toEqual([]);
    expect(read(bulk([[a.transactions, []]]))).toEqual([]);
    const none = { version: null, head: null, packed: null, transactions: 0 };
    expect(read(bulk([[a.transactions, [['1-0', null]]]]))).toEqual([
      { stream: a, total: 0, entries: [entry('1-0', { ...none, deleted: true })] },
    ]);
  });

  test('takes an entry without our fields for one without a value', () => {
    const [delivery] = read(bulk([[a.transactions, [['1-0', ['x', 'y']]]]]));
    const none = { version: null, head: null, packed: null };
    expect(delivery?.entries).toEqual([entry('1-0', none)]);
  });

  test.each(['0', '129', '-1', '1e2', 'x', ''])('counts one where n is %j', (n) => {
    expect(toEntry('1-0', bulk(['n', n]), owner, 1).transactions).toBe(1);
  });

  test('refuses the flat and the object shape of other protocols and clients', () => {
    for (const reply of [
      [a.transactions, [['1-0', ['v', '1']]]],
      { a: [] },
      'OK',
      [[1, []]],
      [[a.transactions, [7]]],
    ]) {
      expect(() => read(reply)).toThrow(/unknown shape/);
    }
  });
});

describe('toClaimed', () => {
  test('reads the cursor, the deliveries and who is to be divided', () => {
    const reply = bulk(['5-0', ['1-0', 3, FIELDS, 0, '2-0', 2, FIELDS, 1]]);
    const common = { head: AGAIN, transactions: 3, carried: 2 };
    expect(toClaimed(reply, owner)).toEqual({
      cursor: '5-0',
      entries: [entry('1-0', { ...common, deliveries: 5 })],
      suspects: [entry('2-0', { ...common, deliveries: 2 })],
    });
  });

  test('refuses anything else', () => {
    expect(() => toClaimed(null, owner)).toThrow(/unknown shape/);
    expect(() => toClaimed(['0-0'], owner)).toThrow(/unknown shape/);
  });
});

function entry(id: string, more: object) {
  const fields = { version: '7', head: FIRST, packed: Buffer.from('x'), transactions: 1 };
  return { id, ...owner, ...fields, deleted: false, deliveries: 1, carried: 0, ...more };
}
