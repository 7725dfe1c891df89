/** Replies of XREADGROUP and of the claim script, in every shape a server gives them. */
import { describe, expect, test } from 'vitest';
import { toClaimed } from '../../../src/stream/consumer-group.ts';
import { toDeliveries } from '../../../src/stream/read-group.ts';

describe('toDeliveries', () => {
  test('reads streams, entries and fields in any order', () => {
    const reply = [
      ['a', [['1-0', ['v', '1', 'd', '[]']]]],
      ['b', [['2-0', ['other', 'x', 'd', '[1]', 'v', '1']]]],
    ];
    expect(toDeliveries(reply)).toEqual([
      { stream: 'a', entries: [entry('1-0', '1', '[]')] },
      { stream: 'b', entries: [entry('2-0', '1', '[1]')] },
    ]);
  });

  test('takes no entries for nothing, and a nil body for a deleted entry', () => {
    expect(toDeliveries(null)).toEqual([]);
    expect(toDeliveries([['a', []]])).toEqual([]);
    expect(toDeliveries([['a', [['1-0', null]]]])).toEqual([
      { stream: 'a', entries: [{ ...entry('1-0', null, null), deleted: true }] },
    ]);
  });

  test('takes an entry without our fields for one without a value', () => {
    const [delivery] = toDeliveries([['a', [['1-0', ['x', 'y']]]]]);
    expect(delivery?.entries).toEqual([entry('1-0', null, null)]);
  });

  test('refuses the flat and the object shape of other protocols and clients', () => {
    for (const reply of [['a', [['1-0', ['v', '1']]]], { a: [] }, 'OK', [[1, []]], [['a', [7]]]]) {
      expect(() => toDeliveries(reply)).toThrow(/unknown shape/);
    }
  });
});

describe('toClaimed', () => {
  test('reads the cursor, the deliveries and nil bodies', () => {
    expect(toClaimed(['5-0', ['1-0', 3, ['v', '1', 'd', '[]'], '2-0', 1, null]])).toEqual({
      cursor: '5-0',
      entries: [
        { ...entry('1-0', '1', '[]'), deliveries: 3 },
        { ...entry('2-0', null, null), deleted: true },
      ],
    });
  });

  test('refuses anything else', () => {
    expect(() => toClaimed(null)).toThrow(/unknown shape/);
    expect(() => toClaimed(['0-0'])).toThrow(/unknown shape/);
  });
});

function entry(id: string, version: string | null, packed: string | null) {
  return { id, version, packed, deleted: false, deliveries: 1 };
}
