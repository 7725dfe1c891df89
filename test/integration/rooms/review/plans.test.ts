/**
 * Goal: what people ask of a long queue reads few rows of it, however few match. Method: thousands of open and closed cases, and
 * the rows that Postgres says it has read.
 */
import { expect, test } from 'vitest';
import type { Query } from '../../../../src/kit/database/pool.ts';
import {
  type CaseListParameters,
  caseListParameters,
} from '../../../../src/rooms/review/queries/cases.ts';
import { lockNextCase, searchCases } from '../../../../src/rooms/review/store/cases.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { createReviewRig } from '../../../support/rooms/review/rig.ts';
import { rowsRead } from '../../../support/rows-read.ts';

/** Open cases; as many are closed. */
const CASES = 20_000;
const READ_MAX = 150;

const rig = await openForFile(createReviewRig());
const insert = `
  insert into review_cases (transaction_id, created_at, account_id, merchant_id, device_id, corridor, amount, currency,
         market_amount, market_currency, score, verdict, reasons, source, priority, policy, opened_at, opened_by, due_at, state, disposition,
         decision_reason, decided_by, decided_at, final_at, closed_at)
  select (lpad(to_hex(n), 8, '0') || $1)::uuid, now(), 'acc_' || n % 2000, 'm_' || n % 1000, 'd_' || n % 2000,
         (array['US-EG', 'US-MX'])[1 + n % 2], 10, 'USD', 10, 'USD', 600, 'review', '{}', 'verdict', n % 6, 1, now(), 'engine',
         now() + n * interval '1 s', state, case when state = 'closed' then 'fraud' end,
         case when state = 'closed' then 'seen' end, case when state = 'closed' then 'Ann' end, now(),
         case when state = 'closed' then now() end, case when state = 'closed' then now() + n * interval '1 ms' end
    from generate_series(1, ${CASES}) n, (values ($2::text)) s (state)`;
await rig.testDatabase.sql(insert, ['-95c0-7000-8000-000000000000', 'open']);
await rig.testDatabase.sql(insert, ['-95c0-7000-8000-000000000001', 'closed']);
await rig.testDatabase.sql('vacuum analyze review_cases');

async function readBy(work: (query: Query) => Promise<unknown>): Promise<number> {
  const read = await rowsRead(rig.database, work);
  return read.get('review_cases') ?? 0;
}
const PRIORITY = 3;
const list = ({ state, limit }: Pick<CaseListParameters, 'state' | 'limit'>, filter: object) =>
  readBy((query) => searchCases(query, state, filter, undefined, limit));

test.each([
  [{}, {}],
  [{ state: 'open' }, { priority: PRIORITY }],
  [{}, { corridor: 'FR-FR' }],
  [{}, { corridor: 'US-EG', priority: PRIORITY }],
  [{}, { assignee: 'Ann' }],
  [{}, { locked_by: 'Ann' }],
  [{ state: 'claimed' }, {}],
  [{ state: 'confirming' }, {}],
  [{ state: 'decided' }, {}],
  [{}, { account_id: 'acc_17' }],
  [{ state: 'open' }, { merchant_id: 'm_17' }],
  [{}, { device_id: 'd_17' }],
  [{ state: 'closed' }, {}],
  [{ state: 'closed' }, { account_id: 'acc_17' }],
  [{ state: 'closed' }, { merchant_id: 'm_17' }],
  [{ state: 'closed' }, { device_id: 'nobody' }],
] as const)('a list of %o by %o', async (asked, filter) => {
  expect(await list(caseListParameters.parse(asked), filter)).toBeLessThan(READ_MAX);
});

test.each([
  [{}],
  [{ priority: PRIORITY }],
  [{ corridor: 'FR-FR' }],
  [{ corridor: 'US-EG', priority: PRIORITY }],
])('the next case of %o', async (filter) => {
  const read = await readBy((query) => lockNextCase(query, rig.by('Ann'), filter));
  expect(read).toBeLessThan(10);
});
