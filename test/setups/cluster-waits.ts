/**
 * Measures payments that wait for their decision on an otherwise idle engine: on a Redis Cluster one may take no more than twice
 * as long as on one node. Each post meets idle workers, so a stream that no worker waits for shows as a delay.
 */
import { type Batch, makeBatches } from '../chaos/support/load.ts';
import type { Plan, Scenario, Stage } from '../chaos/support/scenario.ts';
import { startClusterServices } from './support/redis-cluster.ts';

const POSTS = 100;
/** Pause after which all workers are idle. */
const PAUSE_MS = 40;
const WARM_UP_BATCHES = 20;
const RATIO_MAX = 2;
/** A loaded machine delays the slow tenth; a stream that no worker waits for delays its posts by up to a second. */
const SLOW_RATIO_MAX = 10;
export const QUARTILE_TIMES = 'lower quartile on the cluster, times one node';

type Answer = { readonly transaction_id: string; readonly score?: unknown };

function* take(count: number, seed: string, size: number): Generator<Batch> {
  const batches = makeBatches({ seed, batch: size, spoiled: undefined });
  for (let taken = 0; taken < count; taken++) yield batches.next().value as Batch;
}

/** Milliseconds of each waited decision, in ascending order. */
async function measure(stage: Stage, seed: string): Promise<number[]> {
  const { engine, ledger, load, pause, signal } = stage;
  for (const batch of take(WARM_UP_BATCHES, `${seed}/warm-up`, 100)) await load.send(batch);
  await stage.until('the warm-up is scored', async () => {
    const [row] = await stage.services.query<{ left: number }>(
      'select ((select count(*) from transactions) - (select count(*) from scores))::int as left',
    );
    return row?.left === 0;
  });
  const waits: number[] = [];
  for (const { keys, rows } of take(POSTS, seed, 1)) {
    await pause(PAUSE_MS);
    ledger.note({ kind: 'sent', keys });
    const startedMs = performance.now();
    const response = await fetch(`${engine.apiUrls[0]}/v1/transactions`, {
      method: 'POST',
      headers: {
        ...{ authorization: `Bearer ${engine.apiKey}`, 'content-type': 'application/json' },
        prefer: 'wait=10',
      },
      ...{ body: rows[0] ?? '', signal },
    });
    const { transaction_id: transactionId, score } = (await response.json()) as Answer;
    if (score === undefined) throw new Error(`no decision within 10 s (${response.status})`);
    waits.push(performance.now() - startedMs);
    ledger.note({ kind: 'acknowledged', answers: [{ key: keys[0] ?? '', transactionId }] });
  }
  return waits.sort((a, b) => a - b);
}

async function restart({ engine }: Stage, environment: Record<string, string>): Promise<void> {
  for (const { role, name } of engine.running()) {
    await engine.drain(name);
    await engine.start(role, name, { environment });
  }
}

const at = (sorted: readonly number[], share: number) =>
  Math.round((sorted[Math.floor(share * (sorted.length - 1))] ?? 0) * 10) / 10;
const figures = (sorted: readonly number[]) =>
  `p25 ${at(sorted, 0.25)}, p50 ${at(sorted, 0.5)}, p99 ${at(sorted, 0.99)}, longest ${at(sorted, 1)} ms`;

const plan: Plan = {
  schedule: [`${POSTS} waited posts on one node`, `${POSTS} on the cluster`],
  faults: ['Redis replaced'],
  run: async (stage) => {
    await using single = await stage.services.startReplica();
    await restart(stage, { REDIS_URL: single.url });
    const alone = await measure(stage, 'alone');
    // Events of this half stay behind.
    stage.ledger.note({ kind: 'wiped' });
    await restart(stage, {});
    stage.happened('Redis replaced');
    const waits = await measure(stage, 'cluster');
    stage.remark(`waited decisions: one node ${figures(alone)}; cluster ${figures(waits)}`);
    // Compares lower quartiles, as other work on the machine delays single decisions.
    const ratioAt = (share: number) =>
      Math.round((at(waits, share) / at(alone, share)) * 100) / 100;
    stage.bar(QUARTILE_TIMES, ratioAt(0.25), { atMost: RATIO_MAX });
    stage.bar('p90 on the cluster, times one node', ratioAt(0.9), { atMost: SLOW_RATIO_MAX });
  },
};

export const clusterWaits: Scenario = {
  name: 'cluster-waits',
  what: 'decisions that are waited for, on a Redis Cluster as on one node',
  setup: { countersExact: false, ownTraffic: true },
  startServices: startClusterServices,
  plan: () => plan,
};
