import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeCursor, encodeCursor, lowestIdAt } from '../../../../src/kit/words/cursor.ts';
import {
  decodeSearchCursor,
  digestQuestion,
  encodeSearchCursor,
  transactionSearchParameters,
} from '../../../../src/rooms/search/queries/parameters.ts';

const MS_MAX = 253_402_300_799_999;

describe('cursor', () => {
  test('decodeCursor reads back what encodeCursor wrote', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: MS_MAX }), fc.uuid(), (atMs, id) => {
        expect(decodeCursor(encodeCursor({ atMs, id }))).toEqual({ atMs, id });
      }),
    );
  });

  test('a text that decodeCursor takes is the only one of its position', () => {
    fc.assert(
      fc.property(fc.base64String({ minLength: 32, maxLength: 32 }), (text) => {
        const cursor = text.replaceAll('+', '-').replaceAll('/', '_');
        const position = decodeCursor(cursor);
        if (position !== undefined) expect(encodeCursor(position)).toBe(cursor);
      }),
    );
  });
});

describe('cursor of a search', () => {
  const at = { id: '017f22e2-79b0-7cc3-98c4-dc0c0c07398f', atMs: 1_645_557_742_000 };

  test('decodeSearchCursor reads back what encodeSearchCursor wrote', () => {
    const score = fc.integer({ min: 0, max: 1000 }).map(String);
    fc.assert(
      fc.property(fc.option(score), (value) => {
        const cursor = { digest: digestQuestion({ sort: 'score' }), after: { ...at, value } };
        expect(decodeSearchCursor(encodeSearchCursor(cursor))).toEqual(cursor);
      }),
    );
  });

  const text = (fields: unknown) => Buffer.from(JSON.stringify(fields)).toString('base64url');
  test.each([
    '',
    'x',
    '_',
    text({}),
    text(['d', encodeCursor(at)]),
    text(['d', at.id, null]),
    text(['d', encodeCursor(at), '1e9']),
    text(['d', encodeCursor(at), 1001]),
    text(['d', encodeCursor({ ...at, atMs: MS_MAX + 1 }), null]),
    `${text(['d', encodeCursor(at), null])}=`,
  ])('decodeSearchCursor refuses %j', (cursor) => {
    expect(decodeSearchCursor(cursor)).toBeUndefined();
  });
});

test('lowestIdAt lies below every id of its moment and above every earlier one', () => {
  const lowest = lowestIdAt(1_645_557_742_000);
  expect(lowest < '017f22e2-79b0-7000-8000-000000000000').toBe(true);
  expect(lowest > '017f22e2-79af-7fff-bfff-ffffffffffff').toBe(true);
});

test.each<[Record<string, string>, string]>([
  [{ verdict: 'approve,maybe' }, 'verdict.1'],
  [{ sort: 'amount' }, 'currency'],
  [{ min_amount: '1' }, 'currency'],
  [{ max_amount: '1.23456', currency: 'USD' }, 'max_amount'],
  [{ idempotency_key: 'k' }, 'client'],
])('transactionSearchParameters refuses %o', (query, path) => {
  const result = transactionSearchParameters.safeParse(query);
  expect(result.error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
});
