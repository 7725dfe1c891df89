/**
 * Goal: an export has the very rows of the search in each form, and goes on after a cut with each row once. Method: months of
 * varied rows on real Postgres, more than a slice looks at; what is written is read back by other libraries.
 */
import { parse } from 'csv-parse/sync';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { describe, expect, test } from 'vitest';
import type { FoundTransactionJson } from '../../../../src/core/domain/transaction-record.ts';
import { detachMonth } from '../../../../src/core/store/partitions/detach-months.ts';
import type { Copy } from '../../../../src/kit/database/copy.ts';
import type { Database } from '../../../../src/kit/database/pool.ts';
import { Failure } from '../../../../src/kit/words/failure.ts';
import { monthOf } from '../../../../src/kit/words/month.ts';
import type { ColumnKind } from '../../../../src/rooms/exports/columns.ts';
import { writeBody } from '../../../../src/rooms/exports/exports.ts';
import {
  type ExportParameters,
  exportParameters,
} from '../../../../src/rooms/exports/parameters.ts';
import {
  FULL_PACE,
  type Pace,
  prepareExport,
  type ReadExport,
} from '../../../../src/rooms/exports/read-rows.ts';
import { transactionSearchParameters } from '../../../../src/rooms/search/queries/parameters.ts';
import { searchTransactions } from '../../../../src/rooms/search/queries/search.ts';
import { openTestDatabase } from '../../../support/database.ts';
import { alone, DAY_MS, NOVEMBER } from '../../../support/reads.ts';
import { idAt, storeDeadLetters, storeTransactions } from '../../../support/stored-rows.ts';

/** In the month of November more than one slice looks at. */
const ROWS = 700;
const PAGE_ROWS = 100;
const PACE: Pace = { ...FULL_PACE, pageRows: PAGE_ROWS };
const LONG_AGO = Date.UTC(2012, 4, 5);
const NASTY = [
  ...['=1+1', '+1', '-1', '@cmd', "'quoted", 'a,"b"\nc', '', '\u{1f600} x', 'plain', '"=1"', '""'],
  ...['\tx', '\r\n', '\n', "'", ',', '=1,"2"', ' x ', '\\N', '\\.', 'NULL', 'a\rb', '"'],
];

const { testDatabase, database } = await openTestDatabase();
const databases = alone(database);
const reasons = ['VELOCITY_COUNT_1H', 'NEW_MERCHANT'];
await storeTransactions(
  database,
  Array.from({ length: ROWS }, (_, n) => {
    const createdAtMs = NOVEMBER - (n % 50 === 49 ? (n % 4) * 30 * DAY_MS : 0) - Math.floor(n / 2);
    return {
      ...{ id: idAt(createdAtMs, n), createdAtMs, receivedAtMs: createdAtMs + 250 },
      ...{
        accountId: n === 5 ? "market.o'brien\\" : `acc_${n % 7}`,
        merchantId: `m_${n % 5}`,
        amount: `${1 + (n % 90)}.5${n % 2}`,
      },
      ...{ corridor: n % 3 === 0 ? 'US-MX' : 'US-EG', currency: n % 4 === 0 ? 'EUR' : 'USD' },
      ...(n % 7 === 3 ? {} : { score: (n * 37) % 1001 }),
      reasons: reasons.slice(0, n % 3),
    };
  }),
);
await testDatabase.sql(
  `update transactions set type = 'payment', ip = '192.0.2.' || length(account_id), channel = 'web', country = 'US',
          device_id = nullif(($1::text[])[1 + right(transaction_id::text, 4)::bit(16)::int % 23], 'plain'),
          metadata = case when account_id = 'acc_2' then '{"note": "a\\"b, c", "n": 1.50}'::jsonb end`.replace(
    'right(transaction_id::text, 4)::bit(16)::int',
    "('x' || right(transaction_id::text, 4))::bit(16)::int",
  ),
  [NASTY],
);
await testDatabase.sql(
  `insert into labels (client, transaction_id, created_at, labelled_at, label, source, received_at, batch_id, account_id, merchant_id)
   select 'default', transaction_id, created_at, created_at + days * interval '1 day', label, 'bank', created_at + days * interval '1 day', gen_random_uuid(), account_id, merchant_id
     from transactions, (values (1, 'fraud'), (2, 'legitimate'), (2, 'fraud')) l (days, label) where account_id = 'acc_4' and merchant_id in ('m_1', 'm_2')
      and (days = 1 or merchant_id = 'm_2')`,
);
const [pending] = await testDatabase.sql<{ id: string }>(
  'select transaction_id as id from transactions t where not exists (select from scores s where s.transaction_id = t.transaction_id) limit 1',
);
await storeDeadLetters(database, [
  { id: idAt(NOVEMBER, 1), transactionId: pending?.id ?? '', failedAtMs: NOVEMBER },
]);
await testDatabase.sql(
  'alter table scores disable trigger user; update scores set margin = 3 * risk - 4.25, scorecard = case when score % 2 = 0 then 7 end, by_rules = score; alter table scores enable trigger user',
);
await testDatabase.sql('analyze transactions, scores, labels');

async function exported(query: Record<string, string>, rowsMax = Infinity): Promise<Buffer> {
  const asked = exportParameters.parse(query);
  const read = await prepareExport(databases, asked, () => PACE);
  const rows: typeof read.rows = (most, signal) => read.rows(Math.min(most, rowsMax), signal);
  return await bytesOf({ ...read, rows }, asked);
}

async function bytesOf(
  read: ReadExport,
  asked: Pick<ExportParameters, 'format' | 'fields' | 'after'>,
): Promise<Buffer> {
  const { signal } = new AbortController();
  const body = writeBody(read, asked, signal);
  return Buffer.concat(await Array.fromAsync(body, ({ bytes }) => bytes.slice()));
}

const lines = (bytes: Buffer) =>
  bytes
    .toString()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

async function found(query: Record<string, string>): Promise<FoundTransactionJson[]> {
  const rows: FoundTransactionJson[] = [];
  let cursor: string | null = null;
  do {
    const page: Record<string, string> = cursor === null ? {} : { cursor };
    const asked = transactionSearchParameters.parse({ ...query, ...page, limit: '200' });
    const answer = await searchTransactions(databases, asked);
    rows.push(...answer.items);
    cursor = answer.next_cursor;
  } while (cursor !== null);
  return rows;
}

/** A row of the search in the columns of the flat forms. */
function flat({ score, label, ...transaction }: FoundTransactionJson): Record<string, unknown> {
  const { metadata } = transaction;
  return {
    ...transaction,
    ...{ metadata, scored_at: score?.scored_at ?? null, score: score?.score ?? null },
    ...{ risk: score?.risk ?? null, probability: score?.probability ?? null },
    ...{
      verdict: score?.verdict ?? null,
      reason_codes: score?.reasons.map(({ code }) => code) ?? null,
    },
    ...{ rule_set: score?.rule_set ?? null, model: score?.model ?? null },
    ...{ attempts: score?.attempts ?? null, degradation: score?.degradation ?? null, label },
    margin: score ? 3 * score.risk - 4.25 : null,
    scorecard: score && score.score % 2 === 0 ? 7 : null,
    by_rules: score?.score ?? null,
  };
}

/** The cell of CSV that the format defines for a text of the column, as 1.0.0 read the text. */
function cellOf(kind: ColumnKind, text: string | null): string {
  if (text === null) return '';
  if (kind === 'time') return new Date(`${text.replace(' ', 'T')}:00`).toISOString();
  if (kind === 'reasons')
    return JSON.parse(text)
      .map(({ code }: { code: string }) => code)
      .join(' ');
  const safe = kind === 'text' && /^[=+\-@\t\r\n']/.test(text) ? `'${text}` : text;
  return /^$|[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const jsonOf = (text: string | null) => (text === null ? null : JSON.parse(text));

const FILTERS: Record<string, string>[] = [
  {},
  { order: 'asc' },
  { account_id: 'acc_2' },
  { merchant_id: 'm_3', order: 'asc', verdict: 'review,decline' },
  { verdict: 'decline', corridor: 'US-MX' },
  { verdict: 'approve', currency: 'USD', min_amount: '20' },
  { reason: 'NEW_MERCHANT' },
  { status: 'dead_lettered' },
  { status: 'accepted', order: 'asc' },
  { label: 'fraud' },
  { label: 'none', merchant_id: 'm_2' },
  {
    from: new Date(NOVEMBER - 40 * DAY_MS).toISOString(),
    to: new Date(NOVEMBER - DAY_MS).toISOString(),
  },
  { account_id: 'nobody' },
];

const NUMBERS = [
  ...['score', 'risk', 'probability', 'attempts', 'degradation', 'margin', 'scorecard', 'by_rules'],
];

describe('exports', () => {
  test.each(FILTERS)('lines are the rows of the search %o', async (query) => {
    const rows = await found(query);
    const all = lines(await exported({ ...query, format: 'ndjson' }));
    expect(all.at(-1)).toEqual({ done: true, rows: rows.length });
    expect(all.slice(0, -1)).toEqual(rows);
    if ('account_id' in query === false) expect(rows.length).toBeGreaterThan(0);
  });

  test('CSV read back is the rows of the search, without a formula', async () => {
    const cells: Record<string, string>[] = parse(await exported({ format: 'csv' }), {
      columns: true,
      record_delimiter: '\r\n',
    });
    const rows = await found({});
    for (const cell of cells) {
      for (const text of Object.values(cell))
        expect(text).not.toMatch(/^(?:[=+@\t]|-(?![\d.e-]+$))/);
    }
    const read = cells.map((cell) => {
      const plain = (name: string) => (cell[name] === '' ? null : (cell[name] ?? null));
      const number = (name: string) => (cell[name] === '' ? null : Number(cell[name]));
      return {
        ...Object.fromEntries(Object.keys(cell).map((name) => [name, plain(name)])),
        ...Object.fromEntries(NUMBERS.map((name) => [name, number(name)])),
        device_id: plain('device_id')?.replace(/^'/, '') ?? null,
        metadata: jsonOf(plain('metadata')),
        reason_codes: plain('score') === null ? null : (plain('reason_codes')?.split(' ') ?? []),
      };
    });
    // An empty text is "" in the file, which this reader does not tell from null.
    const asRead = (row: Record<string, unknown>) => ({
      ...row,
      device_id: row['device_id'] || null,
    });
    expect(read).toEqual(rows.map(flat).map(asRead));
  });

  test.each([
    ...FILTERS,
    { fields: 'device_id' },
    { fields: 'device_id', account_id: 'acc_2' },
    { fields: 'created_at,reason_codes', corridor: 'US-MX' },
    { account_id: "market.o'brien\\" },
  ])('CSV has the very bytes of the format %o', async (query) => {
    const asked = exportParameters.parse(query);
    const { rows } = await prepareExport(databases, asked, () => PACE);
    const texts = (await Array.fromAsync(rows(Infinity, new AbortController().signal))).flat();
    const lines = texts.map((row) =>
      asked.fields.map(({ kind, at }) => cellOf(kind, row[at] ?? null)).join(','),
    );
    const header = asked.fields.map(({ name }) => name).join(',');
    expect((await exported(query)).toString()).toBe([header, ...lines, ''].join('\r\n'));
    if (Object.hasOwn(query, 'account_id') === false) expect(lines.length).toBeGreaterThan(0);
  });

  test.each(['csv', 'ndjson'])(
    'a replica that fails within a slice leaves no row of it: %s',
    async (format) => {
      const failing = (copy: Copy): Copy => ({
        ...copy,
        lines: async (text, values, take) => {
          let left = 7;
          await copy.lines(text, values, (line) => left-- > 0 && take(line));
          throw new Failure('unavailable', 'CONFLICT', 'the replica has cancelled the statement');
        },
      });
      const replica: Database = {
        ...database,
        copyTransaction: (work) =>
          database.copyTransaction((query, copy) => work(query, failing(copy))),
      };
      const away = { ...databases, replica: { database: replica, ageMs: () => 0 } };
      const asked = exportParameters.parse({ format });
      const bytes = await bytesOf(await prepareExport(away, asked, () => PACE), asked);
      expect(bytes.equals(await exported({ format }))).toBe(true);
    },
  );

  test('Parquet read back is the rows of the search', async () => {
    const bytes = await exported({ format: 'parquet', order: 'asc' });
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    const read = await parquetReadObjects({ file: file as ArrayBuffer });
    for (const { name, logical_type } of parquetMetadata(file as ArrayBuffer).schema)
      if (name.endsWith('_at')) expect(logical_type).toMatchObject({ isAdjustedToUTC: true });
    const rows = await found({ order: 'asc' });
    expect(
      read.map((row) => ({
        ...row,
        ...Object.fromEntries(
          ['created_at', 'received_at', 'scored_at'].map((name) => [
            name,
            row[name]?.toISOString() ?? null,
          ]),
        ),
        metadata: jsonOf(row['metadata'] ?? null),
        // The reader of Parquet says undefined for a list that is null.
        reason_codes: row['reason_codes'] ?? null,
      })),
    ).toEqual(rows.map(flat));
  });

  test.each(['asc', 'desc'])('a cut at any row goes on with each row once, %s', async (order) => {
    const query = { format: 'ndjson', order };
    const all = lines(await exported(query)).slice(0, -1);
    for (const cut of [1, PAGE_ROWS - 1, 3 * PAGE_ROWS, ROWS - 1]) {
      const first = lines(await exported(query, cut)).slice(0, -1);
      const after = first.at(-1).transaction_id;
      const second = lines(await exported({ ...query, after })).slice(0, -1);
      expect([...first, ...second]).toEqual(all);
    }
    const csv = await exported({ order, after: all.at(-2).transaction_id });
    expect(csv.toString().startsWith(all.at(-1).transaction_id)).toBe(true);
  });

  test('a range with a detached month is refused', async () => {
    await storeTransactions(database, [{ createdAtMs: LONG_AGO }]);
    await detachMonth(database, monthOf(LONG_AGO));
    await expect(exported({})).rejects.toThrow('2012-05 is detached');
    expect((await exported({ from: '2013-01-01T00:00:00Z' })).length).toBeGreaterThan(1000);
  });
});
