/**
 * Goal: scores, profiles and summaries from memory are those of at most a second ago, whatever happened, and Redis is not needed
 * for them. Method: the API's own caches beside a worker, on real stores; what is read is compared with a recount.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { acceptLabels } from '../../../../src/core/accept/accept-labels.ts';
import type { LabelValue } from '../../../../src/core/domain/label.ts';
import { mergeIncrements } from '../../../../src/core/store/tallies/day-tallies.ts';
import { createLog } from '../../../../src/kit/metrics/log.ts';
import { createMetrics } from '../../../../src/kit/metrics/metrics.ts';
import { openCommands, type RedisClient } from '../../../../src/kit/redis/connection.ts';
import { bindGuards } from '../../../../src/main/guards.ts';
import { type Caches, openCaches } from '../../../../src/rooms/search/caches.ts';
import { makeProfile, readProfile } from '../../../../src/rooms/search/queries/party-profile.ts';
import { summaryParameters, withDays } from '../../../../src/rooms/summaries/parameters.ts';
import { summarizeDays } from '../../../../src/rooms/summaries/queries.ts';
import { createSummaryCache } from '../../../../src/rooms/summaries/routes.ts';
import { testConfig } from '../../../support/config.ts';
import { openLabelIngest } from '../../../support/label-ingest.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { storeScoresOf } from '../../../support/stored-rows.ts';
import { startTcpProxy } from '../../../support/tcp-proxy.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import { createWorkerRig } from '../../../support/worker-rig.ts';

const DAY_MS = 86_400_000;
const NOW_MS = Date.now();
/** The bound that is promised for every event. */
const SEEN_MS_MAX = 1000;
/** Longer than a proof counts. */
const UNPROVEN_MS = 800;
const CORRIDORS = new Set(['US-EG']);

let sent = 0;

const databasesOf = () => ({ primary: rig.pool, replica: null, now: Date.now });
function open(redis: RedisClient): Caches {
  const config = testConfig({ RISK_MARKET: rig.database.market });
  const metrics = createMetrics();
  const guards = bindGuards(config, metrics, createLog('api', 'silent'), 'api');
  return openCaches({ config, databases: databasesOf(), redis, guards, metrics });
}

const rig = await openForFile(createWorkerRig());
await openForFile(rig.startWorker());
const labels = openLabelIngest(rig);
const caches = open(rig.commands);
const summaries = createSummaryCache(databasesOf(), () => CORRIDORS, createMetrics());

const seed = (party: string, createdAtMs = Date.now() - 1000) => ({
  ...{ createdAtMs, accountId: `acc_${party}`, merchantId: `m_${party}` },
});

/** Sends transactions of a party and waits until they are scored; returns their ids. */
async function score(party: string, ...times: number[]): Promise<string[]> {
  const transactions = await rig.send(times.map((createdAtMs) => seed(party, createdAtMs)));
  sent += times.length;
  await rig.settled(sent);
  return transactions.map(({ transactionId }) => transactionId);
}

const label = (transaction_id: string | undefined, value: LabelValue) =>
  acceptLabels(labels, {
    ...{ client: 'default', identity: null, clientSeen: null },
    inputs: [
      {
        ...{ transaction_id: transaction_id ?? '', label: value, source: 'bank' },
        labelled_at: new Date().toISOString(),
      },
    ],
  });

const profileOf = async (party: string, of = caches) => {
  const id = `acc_${party}`;
  const served = await readProfile(databasesOf(), of.profiles, 'account', id, undefined);
  return JSON.parse(served?.answer.text ?? 'null');
};

function question(group_by: string, daysAgo: number) {
  const day = new Date(NOW_MS - daysAgo * DAY_MS).toISOString().slice(0, 10);
  return withDays(summaryParameters.parse({ group_by, from: day, to: day }), NOW_MS);
}
const summaryOf = async (...asked: Parameters<typeof question>) => {
  const served = await summaries.read(question(...asked));
  return JSON.parse(served?.answer.text ?? 'null');
};

/** Polls until `isSeen`, and fails where that takes longer than promised. */
async function seenInTime(isSeen: () => Promise<boolean>): Promise<void> {
  const startedMs = performance.now();
  await waitUntil(isSeen, SEEN_MS_MAX, 'the change to be seen');
  expect(performance.now() - startedMs).toBeLessThan(SEEN_MS_MAX);
}

const untilUnproven = () => {
  const endMs = performance.now() + UNPROVEN_MS;
  return waitUntil(() => performance.now() > endMs, UNPROVEN_MS, 'the proof to end');
};

describe('within a second is seen', { retry: 2 }, () => {
  /** Each try has a party and days of its own. */
  let tries = 0;
  beforeEach(() => {
    tries += 1;
  });

  test('the score of a transaction that the profile had without one', async () => {
    const party = `waits_${tries}`;
    await score(party, Date.now() - 3000);
    const [waiting] = await rig.store([seed(party)]);
    expect((await profileOf(party)).recent[0].status).toBe('accepted');
    // As a worker stores it that appended to the log before the profile was read.
    await storeScoresOf(rig.pool, [waiting?.transactionId ?? '']);
    sent += 1;
    await seenInTime(async () => (await profileOf(party)).recent[0].status === 'scored');
  });

  test('a label that says fraud', async () => {
    const [id] = await score('labelled', Date.now() - 1000);
    const { as_of } = await profileOf('labelled');
    await label(id, 'fraud');
    await seenInTime(async () => (await profileOf('labelled')).as_of !== as_of);
  });

  test('a label in the summary of the day of its transaction', async () => {
    const day = 100 + tries;
    const [id] = await score('marked', NOW_MS - day * DAY_MS);
    expect((await summaryOf('label', day)).items).toEqual([]);
    await label(id, 'legitimate');
    await seenInTime(async () => (await summaryOf('label', day)).items.length === 1);
  });
});

test('profiles come from Postgres while Redis is silent, and soon', { retry: 2 }, async () => {
  await using proxy = await startTcpProxy(rig.redis.url);
  const redis = openCommands(proxy.url, 2000);
  await waitUntil(() => redis.status === 'ready', 5000, 'redis');
  const alone = open(redis);
  await score('away', Date.now() - 2000);
  expect((await profileOf('away', alone)).recent).toHaveLength(1);
  proxy.inflict({ kind: 'silence' });
  await score('away', Date.now() - 1000);
  await untilUnproven();
  const startedMs = performance.now();
  expect((await profileOf('away', alone)).recent).toHaveLength(2);
  // Twice the bound on a version, as it is read to prove and to make; the rest is Postgres.
  expect(performance.now() - startedMs).toBeLessThan(SEEN_MS_MAX);
  redis.disconnect();
});

test('a lost connection to Redis forgets profiles, whose versions may be older now', async () => {
  await using proxy = await startTcpProxy(rig.redis.url);
  const redis = openCommands(proxy.url, 2000);
  await waitUntil(() => redis.status === 'ready', 5000, 'redis');
  const own = open(redis);
  await score('again', Date.now() - 1000);
  const { as_of } = await profileOf('again', own);
  const isBack = Promise.withResolvers<void>();
  redis.once('ready', isBack.resolve);
  proxy.inflict({ kind: 'reset' });
  proxy.heal();
  await isBack.promise;
  expect((await profileOf('again', own)).as_of).not.toBe(as_of);
  redis.disconnect();
});

test('what is served equals a recount of at most a second ago', { retry: 2 }, async () => {
  const databases = { primary: rig.pool, replica: null, now: Date.now };
  const recountProfile = async () => {
    const made = await makeProfile(databases, 'account', 'acc_recount', Date.now());
    return figuresOf(JSON.parse(made?.text ?? 'null'));
  };
  const recountDays = async () => {
    const asked = question('verdict', 80);
    return figuresOf((await summarizeDays(databases, CORRIDORS, asked)).summaries);
  };
  /** Recounts, each with when it was last true. */
  const history: Record<'profile' | 'days', Recount[]> = { profile: [], days: [] };
  await score('recount', NOW_MS - 80 * DAY_MS);
  for (let round = 0; round < 12; round++) {
    await score('recount', NOW_MS - 80 * DAY_MS + round);
    if (round % 3 === 0) await mergeIncrements(rig.pool);
    for (const [kind, recount, read] of [
      ['profile', recountProfile, () => profileOf('recount')],
      ['days', recountDays, () => summaryOf('verdict', 80)],
    ] as const) {
      for (let reads = 0; reads < 4; reads++) {
        const startedMs = performance.now();
        const figures = figuresOf(await read());
        const known = history[kind];
        known.push({ figures: await recount(), untilMs: performance.now() });
        const last = known.findLast((one) => one.figures === figures);
        expect(startedMs - (last?.untilMs ?? 0), kind).toBeLessThan(SEEN_MS_MAX);
      }
    }
  }
});

type Recount = { readonly figures: string; readonly untilMs: number };

/** Without the time of the answer. */
function figuresOf(answer: Readonly<Record<string, unknown>>): string {
  const { as_of, counted_at, ...figures } = answer;
  return JSON.stringify(figures);
}
