/**
 * Goal: the checker of the long proofs sees what it is there to see. Method: a small consistent world
 * in Postgres and Redis passes; each test breaks one thing and the checks that breach are exactly
 * those that name it.
 */
import type pg from 'pg';
import { expect, test } from 'vitest';
import { GROUP } from '../../src/core/stream/keys.ts';
import { insertKey } from '../support/key-rows.ts';
import { openForFile } from '../support/open-for-file.ts';
import { storeDecisions } from '../support/rooms/review/final-decisions.ts';
import { startTestRedis } from '../support/services.ts';
import {
  COUNT,
  openWorld,
  START_MS,
  STREAM,
  storeProfiles,
  transactionAt,
  type World,
} from './support/consistent-world.ts';

const service = await openForFile(startTestRedis());

type Sabotage = readonly [
  what: string,
  doIt: (world: World) => Promise<unknown>,
  breaches: readonly string[],
];

const ACCEPTED_TOLD = 'I9 status accepted';
const SCORED_TOLD = 'I9 status scored';
const LOST = 'I1 lost: acknowledged without a score or a dead letter';
const UNFINISHED = 'I5 transactions without an end';
const SEEN_OTHERWISE = 'I8 scores that are not what the reader saw';
const PROFILES = [
  'I7 account profiles unlike Postgres',
  'I7 account profiles compared',
  'I7 merchant profiles unlike Postgres',
  'I7 merchant profiles compared',
];

const SABOTAGES: readonly Sabotage[] = [
  [
    'a lost score',
    ({ stores, ids }) =>
      stores.database.query('delete from scores where transaction_id = $1', [ids[0]]),
    [LOST, SEEN_OTHERWISE, UNFINISHED, SCORED_TOLD],
  ],
  [
    'a second score of one transaction',
    ({ stores }) =>
      stores.database.query(
        `insert into scores
         select transaction_id, created_at + interval '1 second', scored_at, account_id, corridor, score, risk,
                probability, verdict, reasons, features, feature_schema, rule_set, model, attempts, degradation, rule_inputs,
                features_crc32
           from scores limit 1`,
      ),
    ['I2 doubled: score rows beyond one', SCORED_TOLD],
  ],
  [
    'a score that was written again',
    ({ stores }) =>
      stores.database.query(`update scores set scored_at = scored_at + interval '1 millisecond'`),
    [SEEN_OTHERWISE],
  ],
  [
    'a score that changed and changed back',
    async ({ ledger, ids }) => {
      const seen = ledger.seen.get(ids[0] ?? '');
      if (seen === undefined) throw new Error('a seen score was expected');
      ledger.note({ kind: 'seen', scores: [{ ...seen, score: seen.score + 1 }] });
    },
    ['I8 scores that changed under the concurrent reader'],
  ],
  [
    'a score the reader saw twice',
    async ({ ledger, ids }) => ledger.note({ kind: 'doubled', ids: ids.slice(0, 1) }),
    ['I2 doubled at the concurrent reader'],
  ],
  [
    'a transaction nobody was told of',
    ({ stores }) =>
      stores.database.query(
        `insert into transactions (transaction_id, created_at, received_at, account_id, merchant_id, corridor, amount, currency, client)
         select '019a0000-0000-7000-8000-000000000000', created_at, received_at, 'acc_2', 'm_2', corridor, amount, currency, client
           from transactions limit 1`,
      ),
    ['I3 transactions without a key', UNFINISHED, ACCEPTED_TOLD],
  ],
  [
    'a key that nobody sent',
    ({ stores }) =>
      stores.database.query(
        insertKey(`'default'`, '(select transaction_id from transactions limit 1)'),
        ['key-unsent'],
      ),
    ['I3 keys that no client sent'],
  ],
  [
    'a transaction that vanished',
    ({ stores, ids }) =>
      stores.database.query('delete from transactions where transaction_id = $1', [ids[0]]),
    [
      'I1 acknowledged without a transaction',
      'I3 scores of unknown transactions',
      'I10 replays answered otherwise',
      ...PROFILES,
      ACCEPTED_TOLD,
    ],
  ],
  [
    'a key that was never answered',
    async ({ ledger }) => ledger.note({ kind: 'sent', keys: ['key-unanswered'] }),
    ['I4 sent, neither acknowledged nor given up'],
  ],
  [
    'a key answered with two transactions',
    async ({ ledger, ids }) =>
      ledger.note({
        kind: 'acknowledged',
        answers: [{ key: 'key-0', transactionId: ids[1] ?? '' }],
      }),
    [
      'I4 keys answered with two transactions',
      'I4 keys that name another transaction',
      'I10 replays answered otherwise',
    ],
  ],
  [
    'a key that made two transactions',
    async ({ stores: { database } }) => {
      await database.query('select seal_idempotency_slice(slice) from idempotency_slices');
      await database.query('select open_idempotency_slice()');
      await database.query(insertKey(), ['key-0']);
    },
    ['I4 keys with more than one transaction'],
  ],
  [
    'an answer that no fault excuses',
    async ({ ledger }) => ledger.note({ kind: 'improper', status: 500, text: '' }),
    ['I4 answers that no fault excuses'],
  ],
  [
    'a row of the audit log that is missing',
    ({ stores }) =>
      stores.database.query(
        `insert into audit_log (audit_id, who, action, subject, request)
         select coalesce(max(audit_id), 0) + 2, 'x', 'x', 'x', 'x' from audit_log`,
      ),
    ['I6 ids missing from the audit log'],
  ],
  [
    'a replay with another time',
    async ({ ledger, ids }) =>
      ledger.note({
        ...{ kind: 'replayed', key: 'key-0', transactionId: ids[0] ?? '' },
        createdAtMs: START_MS + 1,
      }),
    ['I10 replays answered otherwise'],
  ],
  [
    'a healthy transaction among the dead letters',
    async ({ stores, ids }) => {
      await stores.database.query('delete from scores where transaction_id = $1', [ids[0]]);
      await bury(stores.database, ids[0] ?? null);
    },
    [
      'I1 healthy transactions among the dead letters',
      SEEN_OTHERWISE,
      SCORED_TOLD,
      'I9 status dead_lettered',
    ],
  ],
  [
    'a dead letter of what is scored',
    async ({ stores, ids, ledger }) => {
      ledger.note({ kind: 'condemned', keys: ['key-0'] });
      await bury(stores.database, ids[0] ?? null);
    },
    ['I2 scored and an active dead letter at once', 'I9 status dead_lettered'],
  ],
  [
    'an unreadable entry that nobody planted',
    ({ stores }) => bury(stores.database, null),
    ['I1 dead letters of unreadable entries'],
  ],
  [
    'an open row',
    ({ stores, ids }) =>
      stores.database.query(
        `insert into open_rows (row_id, opened_at, corridor, shard, transaction_ids)
         values ($1, now(), 'US-EG', 0, $2)`,
        [ids[0], [ids[0]]],
      ),
    ['I5 open rows'],
  ],
  [
    'an entry that waits',
    ({ stores }) => stores.redis.xadd(STREAM.transactions, '*', 'v', '1', 'd', '[]'),
    ['I5 entries left in streams'],
  ],
  [
    'an entry delivered and not acknowledged',
    async ({ stores: { redis } }) => {
      await redis.xadd(STREAM.transactions, '*', 'v', '1', 'd', '[]');
      await redis.call('XREADGROUP', 'GROUP', GROUP, 'c', 'STREAMS', STREAM.transactions, '>');
    },
    ['I5 entries left in streams', 'I5 entries pending'],
  ],
  [
    'a retry that waits',
    ({ stores }) => stores.redis.zadd(STREAM.retries, 1, '[]'),
    ['I5 retries waiting'],
  ],
  [
    'events that are missing',
    ({ stores }) => stores.redis.del(STREAM.scored),
    ['I2 transactions without a scored event'],
  ],
  [
    'a transaction counted though it is not there',
    ({ stores, transactions }) =>
      storeProfiles(stores.redis, [...transactions, transactionAt(COUNT - 2.5)]),
    PROFILES,
  ],
  [
    'a score that asks for review, and no case',
    ({ stores, ids }) =>
      stores.database.query(`update scores set verdict = 'review' where transaction_id = $1`, [
        ids[0],
      ]),
    ['I11 scores that ask for review without a case'],
  ],
  [
    'a case that nothing asked for',
    ({ stores }) => stores.database.query(OPEN_CASE),
    ['I11 cases of a verdict that their score does not have'],
  ],
  [
    'a final decision alone',
    ({ stores: { database } }) =>
      storeDecisions(
        { sql: async (sql, values) => (await database.query(sql, [...(values ?? [])])).rows },
        1,
      ),
    [
      'I11 final decisions whose case is not closed by them',
      'I11 final decisions without their one label',
    ],
  ],
  [
    'a label of a review without a decision',
    ({ stores }) =>
      stores.database.query(
        `insert into labels (client, transaction_id, created_at, labelled_at, label, source, batch_id, account_id, merchant_id, received_at)
         select 'default', transaction_id, created_at, now(), 'legitimate', 'review', gen_random_uuid(), account_id, merchant_id, now()
           from transactions limit 1`,
      ),
    ['I11 labels of reviews without their one decision'],
  ],
  [
    'a decision that its reviewer was told of, and is gone',
    async ({ ledger, ids }) => ledger.note({ kind: 'reviewed', id: ids[0] ?? '', may: ['fraud'] }),
    ['I11 final decisions other than reviewers were answered'],
  ],
];

const OPEN_CASE = `
  insert into review_cases (transaction_id, created_at, account_id, merchant_id, corridor, amount, currency, reasons, source,
         priority, policy, opened_by, due_at, market_currency)
  select transaction_id, created_at, account_id, merchant_id, corridor, amount, currency, '{}', 'verdict', 4, 1, 'engine', now(), 'USD'
    from transactions limit 1`;

async function bury(database: pg.Client, transactionId: string | null): Promise<void> {
  await database.query(
    `insert into dead_letters (dead_letter_id, transaction_id, corridor, stream, entry_id, attempts, error_code,
       error, entry, failed_at) values (gen_random_uuid(), $1, 'US-EG', 's', '1-0', 4, 'X', 'x', '', now())`,
    [transactionId],
  );
}

test('checkAtRest holds for a consistent world', async () => {
  await using world = await openWorld(service.url);
  expect(await world.breaches()).toEqual([]);
});

test.each(SABOTAGES)('checkAtRest sees %s', async (_what, sabotage, breaches) => {
  await using world = await openWorld(service.url);
  await sabotage(world);
  expect(await world.breaches()).toEqual(breaches);
});
