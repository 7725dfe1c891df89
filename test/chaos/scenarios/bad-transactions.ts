/**
 * Transactions that make scoring throw, transactions that end the worker that scores them, entries that
 * nobody can read, and entries that come more than once: only they suffer, their neighbours are scored.
 */
import {
  ENTRY_VERSION,
  type PackedEntry,
  packAgain,
} from '../../../src/core/stream/entries/entry.ts';
import { fieldsOf } from '../../support/stream-entries.ts';
import type { Scenario, Stage } from '../support/scenario.ts';
import { areDead, spoiledIds } from '../support/spoiled.ts';
import { allStreams } from '../support/streams.ts';

const POISONED = 'acc_chaos_poisoned';
const ATTEMPTS = 4;
/** Deliveries after which a transaction is given up, including the one that gives it up. */
const DEATHS_MAX = 6;
const KILLERS = 2;
const CRASH_TIMEOUT_MS = 180_000;

const poison: Scenario = {
  name: 'poison',
  what: 'scoring one transaction in a hundred throws',
  setup: {
    environment: { RISK_TEST_POISON: `throw:${POISONED}`, RISK_RETRY_BASE_MS: '200' },
    spoiled: { every: 100, account: POISONED },
  },
  plan: () => ({
    schedule: ['every 100th transaction throws'],
    faults: ['poisoned transactions'],
    run: async (stage) => {
      await stage.progress(1);
      stage.happened('poisoned transactions', spoiledIds(stage.ledger).length);
    },
    judge: async (stage) => {
      const ids = spoiledIds(stage.ledger);
      const [row] = await stage.services.query<{ dead: number; attempts: number }>(
        `select count(*)::int as dead, (count(*) filter (where attempts = $2))::int as attempts
           from dead_letters where transaction_id = any ($1::uuid[]) and error_code = 'SCORING_FAILED'`,
        [ids, ATTEMPTS],
      );
      stage.bar('poisoned transactions among the dead letters', row?.dead ?? 0, {
        exactly: ids.length,
      });
      stage.bar(`of them after ${ATTEMPTS} attempts`, row?.attempts ?? 0, { exactly: ids.length });
    },
  }),
};

/** Restarts each worker that died, as a supervisor would, until the transactions that kill are given up. */
async function superviseUntilDead(stage: Stage): Promise<number> {
  const { engine, ledger, load, happened, until } = stage;
  let deaths = 0;
  const workers = engine.running('worker').map(({ name }) => name);
  const restartDead = async () => {
    for (const name of workers) {
      if (!engine.process(name).hasEnded()) continue;
      deaths++;
      happened('worker died of a transaction');
      await engine.start('worker', name, { wait: false });
    }
  };
  await until('the killers were posted', async () => {
    await restartDead();
    return spoiledIds(ledger).length === KILLERS;
  });
  // New traffic would only wait beside them.
  await load.finish();
  const ids = spoiledIds(ledger);
  await until(
    'the killers are dead letters',
    async () => {
      await restartDead();
      return await areDead(stage, ids);
    },
    CRASH_TIMEOUT_MS,
  );
  return deaths;
}

const crash: Scenario = {
  name: 'crash-poison',
  what: `${KILLERS} transactions kill every worker that scores them`,
  setup: {
    workers: 2,
    environment: { RISK_TEST_POISON: `kill:${POISONED}` },
    spoiled: { every: 200, account: POISONED, most: KILLERS },
    recoverSecondsMax: 60,
  },
  plan: () => ({
    schedule: ['transactions 200 and 400 kill'],
    faults: ['worker died of a transaction'],
    run: async (stage) => {
      const deaths = await superviseUntilDead(stage);
      stage.bar('deaths a killing transaction', deaths / KILLERS, { atMost: DEATHS_MAX });
    },
  }),
};

const LONG_CHARS = 1_000_000;
const HEAD = 'attempt=1 origin=ingest';
const SHAPES: readonly (readonly string[])[] = [
  ['hello', 'world'],
  ['v', ENTRY_VERSION],
  ['v', ENTRY_VERSION, 'd', ''],
  ['v', ENTRY_VERSION, 'n', '1', 'h', HEAD, 'd', '{'],
  ['v', ENTRY_VERSION, 'n', '1', 'h', HEAD],
  ['v', ENTRY_VERSION, 'n', '1000', 'h', '', 'd', '[]'],
  [
    'v',
    ENTRY_VERSION,
    'n',
    '3',
    'h',
    HEAD,
    'd',
    '\u0001\u0000\u0003\u0000\u00ff\u0000\u0000\u0000',
  ],
  ['v', 'next', 'd', '[]'],
  ['v', '01', 'd', `[${'null,'.repeat(14)}null]`],
  ['v', ENTRY_VERSION, 'n', '1', 'h', HEAD, 'd', 'x'.repeat(LONG_CHARS)],
];
const ROUNDS = 10;
const PLANT_EVERY_MS = 200;

const malformed: Scenario = {
  name: 'malformed',
  what: `entries of ${SHAPES.length} shapes that nobody can read, between the good ones`,
  plan: () => ({
    schedule: [`${ROUNDS} × ${SHAPES.length} entries`],
    faults: ['malformed entries'],
    run: async ({ services, ledger, happened, pause }) => {
      const streams = await allStreams(services);
      for (let round = 0; round < ROUNDS; round++) {
        const stream = streams[round % streams.length]?.transactions ?? '';
        ledger.note({ kind: 'planted', entries: SHAPES.length });
        for (const shape of SHAPES) await services.client.xadd(stream, '*', ...shape);
        happened('malformed entries', SHAPES.length);
        await pause(PLANT_EVERY_MS);
      }
    },
  }),
};

const COPIES = 5;
const COPIED = 200;

type Row = {
  readonly id: string;
  readonly created_ms: number;
  readonly received_ms: number;
  readonly account: string;
  readonly merchant: string;
  readonly amount: string;
  readonly currency: string;
  readonly corridor: string;
  readonly type: string | null;
  readonly ip: string | null;
  readonly device: string | null;
  readonly country: string | null;
  readonly channel: string | null;
};

/** Entries as ingest writes them, of transactions that were accepted lately. */
async function lateEntries({
  services,
}: Stage): Promise<{ corridor: string; entry: PackedEntry }[]> {
  const rows = await services.query<Row>(
    `select transaction_id::text as id, (extract(epoch from created_at) * 1000)::float8 as created_ms,
            (extract(epoch from received_at) * 1000)::float8 as received_ms, account_id as account,
            merchant_id as merchant, amount::text, currency, corridor, type, ip, device_id as device, country, channel
       from transactions order by received_at desc limit $1`,
    [COPIED],
  );
  return rows.map((row) => {
    const { corridor, currency, amount, type, ip, country, channel } = row;
    const transaction = {
      ...{
        corridor,
        currency,
        amount,
        type,
        ip,
        country,
        channel,
        deviceId: row.device,
        declared: null,
      },
      ...{ transactionId: row.id, accountId: row.account, merchantId: row.merchant },
      ...{ createdAtMs: row.created_ms, receivedAtMs: row.received_ms },
    };
    return {
      corridor,
      entry: packAgain([{ transaction, attempt: 1, origin: 'ingest', replyTo: null, rowId: null }]),
    };
  });
}

const repeated: Scenario = {
  name: 'repeated-delivery',
  what: `each of ${COPIED} entries is in its stream ${COPIES} times more`,
  setup: { workers: 3 },
  plan: () => ({
    schedule: ['at 20 %', 'at 60 %'],
    faults: ['entries repeated'],
    run: async (stage) => {
      const streams = new Map(
        (await allStreams(stage.services)).map((keys) => [keys.corridor, keys.transactions]),
      );
      for (const share of [0.2, 0.6]) {
        await stage.progress(share);
        const page = stage.services.client.pipeline();
        const entries = await lateEntries(stage);
        for (let copy = 0; copy < COPIES; copy++) {
          for (const { corridor, entry } of entries) {
            page.xadd(streams.get(corridor) ?? '', '*', ...fieldsOf(entry));
          }
        }
        await page.exec();
        stage.happened('entries repeated', entries.length * COPIES);
      }
    },
  }),
};

export const badTransactions: readonly Scenario[] = [poison, crash, malformed, repeated];
