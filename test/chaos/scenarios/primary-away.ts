/**
 * The primary of Postgres is stopped for long beside a load of reads, which its replica answers: after the first second no read is
 * refused, each answer says since when it may lack something, and each write is refused with `Retry-After`.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { replicaOf, startWithReplica } from '../../setups/support/replica.ts';
import { untilReplayed } from '../../support/standby.ts';
import { API_KEY } from '../support/engine.ts';
import { makeBatches } from '../support/load.ts';
import type { Scenario, Stage } from '../support/scenario.ts';

const AWAY_SECONDS = Number(process.env['AWAY_SECONDS'] ?? 30);
const FIRST_MS = 1000;
const BACK_SECONDS_MAX = 10;
const READERS = 4;
const BATCH = 100;
/** A reader at about a hundred reads a second leaves the machine to the engine. */
const READ_EVERY_MS = 10;
const WRITE_EVERY_MS = 500;
const READ_IDS = 50;
const STALE = 'x-risk-stale-since';

type Answer = Pick<Response, 'status' | 'headers'> & { readonly atMs: number };

async function ask({ engine }: Stage, path: string, init: RequestInit = {}): Promise<Answer> {
  const headers = { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' };
  const atMs = performance.now();
  const response = await fetch(`${engine.apiUrls[0]}${path}`, { ...init, headers });
  await response.arrayBuffer();
  return { status: response.status, headers: response.headers, atMs };
}

/** Asks again and again until the returned function is called, which gives all answers. */
function repeat(everyMs: number, askNext: () => Promise<Answer>) {
  const answers: Answer[] = [];
  let isOver = false;
  const asking = (async () => {
    while (!isOver) {
      answers.push(await askNext());
      await delay(everyMs);
    }
  })();
  asking.catch(() => undefined);
  return async () => {
    isOver = true;
    await asking;
    return answers;
  };
}

async function run(stage: Stage): Promise<void> {
  const { services, ledger, load, transactions, happened, bar, remark, until } = stage;
  const plain = { spoiled: undefined, corridor: undefined };
  const batches = makeBatches({ ...plain, seed: stage.seed, batch: BATCH });
  const send = async () => {
    const batch = batches.next().value;
    if (batch !== undefined) await load.send(batch);
  };
  for (let sent = 0; sent < transactions; sent += BATCH) await send();
  const ids = ledger.ids.slice(0, READ_IDS);
  await until('what is read is scored', async () => {
    const answers = await Promise.all(ids.map((id) => ask(stage, `/v1/scores/${id}`)));
    return answers.every(({ status }) => status === 200);
  });
  await untilReplayed({ url: services.databaseUrl }, [replicaOf(stage)]);
  let nth = 0;
  const paths = [
    () => `/v1/scores/${ids[nth % ids.length]}`,
    () => `/v1/transactions/${ids[nth % ids.length]}?expand=labels`,
    () => '/v1/transactions?limit=20',
    () => '/v1/transactions?sort=score&limit=20',
    () => '/v1/status',
  ];
  const next = () => ask(stage, paths[++nth % paths.length]?.() ?? '');
  const endReads = Array.from({ length: READERS }, () => repeat(READ_EVERY_MS, next));
  await services.postgres.end('SIGINT');
  const goneMs = performance.now();
  happened('primary stopped');
  await stage.pause(FIRST_MS);
  const [{ body = '' } = {}] = makeBatches({ ...plain, seed: `${stage.seed}/refused`, batch: 1 });
  const write = () => ask(stage, '/v1/transactions/batch', { method: 'POST', body });
  const endWrites = repeat(WRITE_EVERY_MS, write);
  await stage.pause(AWAY_SECONDS * 1000);
  const writes = await endWrites();
  const awayMs = performance.now();
  await services.postgres.start();
  const startedMs = performance.now();
  await until('the primary answers again', async () => {
    const { status, headers } = await ask(stage, '/v1/transactions?limit=1');
    return status === 200 && !headers.has(STALE);
  });
  await send();
  const backSeconds = (performance.now() - startedMs) / 1000;
  const reads = (await Promise.all(endReads.map((end) => end()))).flat();
  const later = reads.filter(({ atMs }) => atMs > goneMs + FIRST_MS);
  const away = later.filter(({ atMs }) => atMs < awayMs - FIRST_MS);
  const count = (answers: readonly Answer[], isWrong: (answer: Answer) => boolean) =>
    answers.filter(isWrong).length;
  const isRefused = ({ status }: Answer) => status !== 200;
  const first = reads.filter(({ atMs }) => atMs > goneMs && atMs <= goneMs + FIRST_MS);
  const seconds = Math.round((awayMs - goneMs) / 1000);
  remark(`${away.length} reads while the primary was away for ${seconds} s`);
  remark(`${count(first, isRefused)} reads refused in the first second`);
  bar('reads while the primary was away', away.length, { atLeast: AWAY_SECONDS });
  bar('reads refused after the first second', count(later, isRefused), { exactly: 0 });
  const isSilent = ({ headers }: Answer) => !headers.has(STALE);
  bar('answers that did not say since when', count(away, isSilent), { exactly: 0 });
  const isBad = ({ status, headers }: Answer) => status !== 503 || !headers.has('retry-after');
  bar('writes not refused with Retry-After', count(writes, isBad), { exactly: 0 });
  bar('seconds until reads and writes were back', Math.ceil(backSeconds), {
    atMost: BACK_SECONDS_MAX,
  });
}

export const primaryAway: Scenario = {
  name: 'primary-away',
  what: 'the primary of Postgres is stopped for AWAY_SECONDS (30), and its replica answers reads meanwhile',
  setup: { ownTraffic: true, countersExact: false },
  startServices: (options) =>
    startWithReplica({ ...options, outageMsMax: 2 * AWAY_SECONDS * 1000 }),
  plan: () => ({
    schedule: [`the primary is away for ${AWAY_SECONDS} s`],
    faults: ['primary stopped'],
    run,
  }),
};
