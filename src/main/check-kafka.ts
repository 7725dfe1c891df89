/** Checks Kafka for `risk doctor`: brokers, topics of the corridors that ever used it, and the group of the workers. */
import { readControls } from '../core/store/controls/controls.ts';
import { openKafka } from '../core/stream/kafka/clients.ts';
import { openFetcher } from '../core/stream/kafka/fetch-records.ts';
import { measureKafka } from '../core/stream/kafka/lag.ts';
import { findTopicProblems, readTopicFacts } from '../core/stream/kafka/topic-facts.ts';
import { groupOf, topicsOf } from '../core/stream/kafka/topics.ts';
import type { CommandContext } from '../kit/command/command.ts';
import { openCommandDatabase, openCommandRedis } from '../kit/command/stores.ts';
import type { Finding } from './finding.ts';

/** No finding where no KAFKA_URL is set. */
export async function checkKafka(context: CommandContext): Promise<Finding[]> {
  const { KAFKA_URL: url, RISK_MARKET: market } = context.config;
  if (url === undefined) return [];
  const corridors = await listCorridors(context);
  await using clients = openKafka(url);
  const facts = await readTopicFacts(clients, market, corridors);
  const brokers = facts.brokers === 1 ? 'one broker answers' : `${facts.brokers} brokers answer`;
  const first: Finding = { check: 'kafka', state: 'ok', detail: brokers };
  if (corridors.length === 0) {
    return [{ ...first, detail: `${brokers}; no corridor of ${market} has used Kafka` }];
  }
  const found = corridors.map((corridor): Finding => {
    const problems = findTopicProblems(facts, topicsOf(market, corridor));
    const check = `kafka topics of ${corridor}`;
    if (problems.length === 0)
      return { check, state: 'ok', detail: describe(facts, corridor, market) };
    const state = problems.some(({ isLost }) => isLost) ? 'fail' : 'warn';
    return { check, state, detail: problems.map(({ text }) => text).join('; ') };
  });
  const isWhole = found.every(({ state }) => state !== 'fail');
  return [first, ...found, ...(isWhole ? [await checkGroup(context, url, corridors)] : [])];
}

async function listCorridors(context: CommandContext): Promise<string[]> {
  if (context.config.DATABASE_URL === undefined) return [];
  await using database = openCommandDatabase(context, 'doctor');
  const { settings } = await readControls(database);
  return [...settings]
    .filter(([, { logChangedAtMs }]) => logChangedAtMs !== null)
    .map(([corridor]) => corridor)
    .sort();
}

function describe(
  { topics }: Awaited<ReturnType<typeof readTopicFacts>>,
  corridor: string,
  market: string,
): string {
  const { transactions } = topicsOf(market, corridor);
  const described = topics.find(({ topic }) => topic === transactions);
  const copies = described?.replicas === 1 ? 'one copy' : `${described?.replicas} copies`;
  const hours = (described?.retentionMs ?? 0) / 3_600_000;
  const kept = hours < 0 ? 'kept for good' : `kept for ${hours} hours`;
  return `${described?.partitions} partitions, ${copies}, ${kept}`;
}

async function checkGroup(
  context: CommandContext,
  url: string,
  corridors: readonly string[],
): Promise<Finding> {
  const market = context.config.RISK_MARKET;
  await using clients = openKafka(url);
  await using fetcher = await openFetcher(clients, groupOf(market));
  using connection = await openCommandRedis(context);
  const lags = await measureKafka(fetcher, connection.redis, market, corridors);
  const waiting = lags.reduce((sum, { lag, pending }) => sum + lag + pending, 0);
  const trimmed = lags.flatMap(({ isTrimmed, stream }) => (isTrimmed ? stream.transactions : []));
  const lost = `retention removed entries that were not done from ${trimmed.join(', ')}`;
  return {
    check: 'kafka group',
    state: trimmed.length === 0 ? 'ok' : 'warn',
    detail: `${groupOf(market)}: ${trimmed.length === 0 ? `${waiting} transactions wait` : lost}`,
  };
}
