/** A mix of reads and posts, by the law by which accounts are busy. */
import { join } from 'node:path';
import { createRandom, type Random } from '../../src/kit/random.ts';
import { transactionLine } from '../../src/tools/simulate/simulate.ts';
import { readCpu } from './cpu-by-role.ts';
import { startGenerator } from './generator-process.ts';
import type { Load } from './load.ts';
import { API_KEY, type Pipeline } from './pipeline.ts';
import { encodeGet, encodePost, writeRequests } from './requests.ts';
import { trafficRows } from './traffic.ts';
import { zipf } from './zipf.ts';

/** Percent of the reads; the rest are scores by id. */
const READS = { transaction: 25, account: 20, merchant: 5, summary: 10 } as const;
const SUMMARY_DIVISIONS = ['corridor', 'verdict', 'currency', 'rule', 'model', 'label'] as const;
const SUMMARY_DAYS = [1, 7, 28] as const;
const PAST_DAYS = 14;
const DAY_MS = 86_400_000;
/** Scores and transactions of an account that are asked for. */
const IDS_OF_ACCOUNT = 8;

export type Party = { readonly account: string; readonly merchant: string; readonly ids: string[] };

/** Accounts, busiest first, each with some of its transactions. */
export async function readParties({ services: { database } }: Pipeline): Promise<Party[]> {
  const { rows } = await database.query<Party>(
    `select account_id as account, min(merchant_id) as merchant, (array_agg(transaction_id::text))[1:$1] as ids
       from transactions group by account_id order by count(*) desc, account_id`,
    [IDS_OF_ACCOUNT],
  );
  return rows;
}

function summaryPath(random: Random): string {
  const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)] as T;
  const lastMs = random() < 0.5 ? Date.now() : Date.now() - PAST_DAYS * DAY_MS;
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  const from = day(lastMs - (pick(SUMMARY_DAYS) - 1) * DAY_MS);
  return `/v1/summaries/daily?group_by=${pick(SUMMARY_DIVISIONS)}&from=${from}&to=${day(lastMs)}`;
}

export type Mix = {
  readonly parties: readonly Party[];
  readonly writes: number;
  readonly load: Load;
};

/** Requests without an end; transactions are posted once. */
export function* mixedRequests({ parties, writes, load }: Mix): Generator<Buffer, void> {
  const [host, apiKey] = ['127.0.0.1', API_KEY];
  const random = createRandom(`${load.seed}/mix`);
  const draw = zipf(parties.length, 1, random);
  const traffic = {
    ...load,
    transactions: 1_000_000,
    endMs: Date.now(),
    fraudRate: 0,
    seed: `${load.seed}/mix`,
  };
  const rows = trafficRows({ traffic });
  const path = (party: Party) => {
    const id = party.ids[Math.floor(random() * party.ids.length)] ?? '';
    const kind = random() * 100;
    let bound: number = READS.transaction;
    if (kind < bound) return `/v1/transactions/${id}`;
    bound += READS.account;
    if (kind < bound) return `/v1/accounts/${party.account}/profile`;
    bound += READS.merchant;
    if (kind < bound) return `/v1/merchants/${party.merchant}/profile`;
    bound += READS.summary;
    return kind < bound ? summaryPath(random) : `/v1/scores/${id}`;
  };
  for (;;) {
    const party = parties[draw()] as Party;
    if (random() * 100 >= writes) {
      yield encodeGet(host, apiKey, path(party));
      continue;
    }
    const row = rows.next().value;
    if (row === undefined) return;
    const own = {
      ...row,
      accountId: party.account,
      merchantId: party.merchant,
      createdAtMs: Date.now(),
    };
    yield encodePost(host, apiKey, transactionLine(own).trimEnd());
  }
}

export type Loop = {
  readonly requests: number;
  readonly connections: number;
  readonly perSecond: number;
};

/** Sends the next requests of the source; tells what was answered, and the processor seconds of each role. */
export async function ask(
  pipeline: Pipeline,
  source: Iterator<Buffer>,
  { requests, connections, perSecond }: Loop,
  signal: AbortSignal,
) {
  const file = join(pipeline.folder, 'mix');
  const encoded = Array.from({ length: requests }, () => source.next().value as Buffer);
  const offsets = [...(await writeRequests(file, encoded))];
  using generator = await startGenerator(
    {
      ...{ host: '127.0.0.1', port: pipeline.apiPort, connections },
      ...{ requestsPerSecond: perSecond, live: false },
      source: { kind: 'written', file, offsets },
    },
    signal,
  );
  const before = readCpu(pipeline, generator);
  const answered = await generator.go();
  const after = readCpu(pipeline, generator);
  const roles = Object.keys(before) as (keyof typeof before)[];
  const seconds = Object.fromEntries(roles.map((role) => [role, after[role] - before[role]]));
  return { answered, seconds: seconds as typeof before };
}
