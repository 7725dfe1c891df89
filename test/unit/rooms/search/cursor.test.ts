import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createdAtMsOf } from '../../../../src/core/domain/transaction-id.ts';
import { decodeCursor, encodeCursor, lowestIdAt } from '../../../../src/kit/words/cursor.ts';
import { scoreSearchParameters } from '../../../../src/rooms/search/queries/parameters.ts';
import {
  decodeSearchCursor,
  digestQuestion,
  encodeSearchCursor,
} from '../../../../src/rooms/search/queries/search-cursor.ts';

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

  test.each([
    '',
    'x',
    "' or 1=1 --",
    '_'.repeat(32),
    'A'.repeat(31),
    'A'.repeat(33),
    `${'A'.repeat(31)}=`,
    `${'A'.repeat(31)}\n`,
  ])('decodeCursor refuses %j', (text) => {
    expect(decodeCursor(text)).toBeUndefined();
  });
});

describe('cursor of a search', () => {
  const at = { id: '017f22e2-79b0-7cc3-98c4-dc0c0c07398f', atMs: 1_645_557_742_000 };
  const row = fc.constantFrom({ ...at, value: null }, { ...at, value: '125.50' });

  test('decodeSearchCursor reads back what encodeSearchCursor wrote', () => {
    const window = fc.record({ until: fc.constantFrom(null, at), listed: row });
    const position = fc.record({
      ...{ pass: fc.constantFrom(0, 1), after: fc.option(row), window: fc.option(window) },
    });
    fc.assert(
      fc.property(position, (one) => {
        const cursor = { digest: digestQuestion({ sort: 'score' }), position: one };
        expect(decodeSearchCursor(encodeSearchCursor(cursor))).toEqual(cursor);
      }),
    );
  });

  const text = (fields: unknown) => Buffer.from(JSON.stringify(fields)).toString('base64url');
  test.each([
    ...[
      '',
      'x',
      '_',
      text({}),
      text(['d', 2, null, null, null]),
      text(['d', 0, ['x', null], null, null]),
    ],
    text(['d', 0, [at.id, '1e9'], null, null]),
    text(['d', 0, ['ffffffff-ffff-7cc3-98c4-dc0c0c07398f', null], null, null]),
    `${text(['d', 0, null, null, null])}=`,
  ])('decodeSearchCursor refuses %j', (cursor) => {
    expect(decodeSearchCursor(cursor)).toBeUndefined();
  });
});

describe('transaction id', () => {
  test('createdAtMsOf reads the time of a UUIDv7 and nothing else', () => {
    expect(createdAtMsOf('017f22e2-79b0-7cc3-98c4-dc0c0c07398f')).toBe(1_645_557_742_000);
    expect(createdAtMsOf('017F22E2-79B0-7CC3-98C4-DC0C0C07398F')).toBeUndefined();
    expect(createdAtMsOf('017f22e2-79b0-4cc3-98c4-dc0c0c07398f')).toBeUndefined();
    expect(createdAtMsOf('017f22e2-79b0-7cc3-28c4-dc0c0c07398f')).toBeUndefined();
    expect(createdAtMsOf('017f22e279b07cc398c4dc0c0c07398f')).toBeUndefined();
    expect(createdAtMsOf("017f22e2-79b0-7cc3-98c4-dc0c0c07398f'")).toBeUndefined();
  });

  test('lowestIdAt lies below every id of its moment and above every earlier one', () => {
    const lowest = lowestIdAt(1_645_557_742_000);
    expect(lowest < '017f22e2-79b0-7000-8000-000000000000').toBe(true);
    expect(lowest > '017f22e2-79af-7fff-bfff-ffffffffffff').toBe(true);
  });
});

describe('list parameters', () => {
  test.each<[Record<string, string>, string]>([
    [{ limit: '0' }, 'limit'],
    [{ limit: '201' }, 'limit'],
    [{ limit: '1e2' }, 'limit'],
    [{ cursor: 'garbage' }, 'cursor'],
    [{ from: '2026-02-30T00:00:00Z' }, 'from'],
    [{ to: '2026-02-03T00:00:00' }, 'to'],
    [{ corridor: 'us-eg' }, 'corridor'],
    [{ verdict: 'maybe' }, 'verdict.0'],
    [{ verdict: 'approve,maybe' }, 'verdict.1'],
    [{ min_score: '1001' }, 'min_score'],
    [{ min_score: '-1' }, 'min_score'],
    [{ reason: "x'; drop table scores" }, 'reason.0'],
    [{ account_id: '' }, 'account_id'],
    [{ account_id: 'a'.repeat(129) }, 'account_id'],
    [{ account_id: 'a\u0000b' }, 'account_id'],
    [{ sort: 'risk' }, 'sort'],
    [{ sort: 'amount' }, 'currency'],
    [{ min_amount: '1' }, 'currency'],
    [{ max_amount: '1.23456', currency: 'USD' }, 'max_amount'],
    [{ idempotency_key: 'k' }, 'client'],
    [{ rule_set: 'default@0' }, 'rule_set'],
    [{ ip: '1.2' }, 'ip'],
    [{ status: 'scored' }, ''],
  ])('scoreSearchParameters refuses %o', (query, path) => {
    const result = scoreSearchParameters.safeParse(query);
    expect(result.error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
  });

  test('scoreSearchParameters reads times of any zone and defaults to 50 rows', () => {
    const parsed = scoreSearchParameters.parse({ from: '2026-11-20T11:30:00+02:00' });
    expect(parsed).toEqual({
      ...{ from: Date.parse('2026-11-20T09:30:00Z'), limit: 50, reason_match: 'any' },
      ...{ sort: 'created_at', order: 'desc', total: false },
    });
  });
});
