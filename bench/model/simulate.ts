/** A load on a site: who waits how long, and what uses the processors. */
import { openApi } from './api.ts';
import type { Used } from './machine.ts';
import { createPlant, createStream, type Model, rowsOf, type Site } from './plant.ts';
import { createSlots, type Process } from './simulation.ts';
import { startWorker } from './worker.ts';

export type Offered = {
  /** Requests that post, a second; 0: each connection posts as soon as it is answered. */
  readonly posts: number;
  /** Transactions of a post; 0: nothing is posted. */
  readonly batch: number;
  readonly reads: number;
  /** True: requests come independently of each other, as those of many clients do; else at even distances. */
  readonly isRandom: boolean;
  readonly connections: number;
  readonly seconds: number;
  /** Seconds at the beginning whose latencies do not count. */
  readonly unmeasured: number;
  readonly transactionsMax: number;
};

/** Times are milliseconds since a request was due. */
export type Outcome = {
  readonly posts: readonly number[];
  readonly reads: readonly number[];
  /** Until the score of a transaction was published. */
  readonly scored: readonly number[];
  readonly used: Readonly<Record<string, Used>>;
  /** Until the last score. */
  readonly lasted: number;
  readonly perSecond: number;
  /** Transactions without a score at the end of the time. */
  readonly backlog: number;
  readonly commits: number;
  readonly batches: number;
};

/** A run that is not over after so many times its seconds is overloaded. */
const OVERRUN = 4;
const STEP_MS = 20;

export function simulate(model: Model, site: Site, offered: Offered): Outcome {
  const plant = createPlant(model, site);
  const { simulation, spread, random, costs } = plant;
  const { now, after, start } = simulation;
  const stream = createStream();
  const posts: number[] = [];
  const reads: number[] = [];
  const scored: number[] = [];
  let [commits, batches, posted, done] = [0, 0, 0, 0];
  const isMeasured = (dueMs: number) => dueMs >= offered.unmeasured * 1000;

  const apis = Array.from({ length: site.apis }, () => openApi(plant, stream, () => commits++));
  for (let nth = 0; nth < site.workers; nth++) {
    startWorker(plant, stream, (entries) => {
      batches += 1;
      done += rowsOf(entries);
      for (const { rows, dueMs } of entries) {
        for (let row = 0; row < rows && isMeasured(dueMs); row++) scored.push(now() - dueMs);
      }
    });
  }
  plant.idle(plant.redis, costs.idle.redis);
  plant.idle(plant.thread('postgres'), costs.idle.postgres);
  const { others, othersThreads, othersEveryMs } = model.waits;
  for (let nth = 0; nth < othersThreads; nth++) {
    plant.disturb(plant.thread('others'), others / othersThreads, othersEveryMs);
  }

  const generator = plant.thread('generator');
  const connections = createSlots(offered.connections);
  function* request(rows: number, dueMs: number): Process {
    const { request: each, transaction, read } = costs.generator;
    const us = rows === 0 ? read : each + transaction * rows;
    const api = apis[Math.floor(random() * apis.length)] as (typeof apis)[number];
    yield connections.take;
    if (site.sharedCores !== undefined) yield plant.work(generator, us / 2);
    yield plant.hop;
    yield* rows === 0 ? api.read() : api.post(rows, dueMs);
    yield plant.hop;
    if (site.sharedCores !== undefined) yield plant.work(generator, us / 2);
    connections.release();
    if (isMeasured(dueMs)) (rows === 0 ? reads : posts).push(now() - dueMs);
  }
  const endMs = offered.seconds * 1000;
  const isOver = () => now() >= endMs || posted >= offered.transactionsMax;
  const arrive = (rows: number, everyMs: number) => {
    if (isOver()) return;
    posted += rows;
    start(request(rows, now()));
    after(offered.isRandom ? spread(everyMs) : everyMs, () => arrive(rows, everyMs));
  };
  const drive = () => {
    if (isOver()) return;
    posted += offered.batch;
    start(request(offered.batch, now()), drive);
  };
  if (offered.reads > 0) arrive(0, 1000 / offered.reads);
  if (offered.posts > 0) arrive(offered.batch, 1000 / offered.posts);
  else if (offered.batch > 0) for (let nth = 0; nth < offered.connections; nth++) drive();

  // A run that is measured, too, ends with its last score.
  let lastMs = 0;
  let backlog = 0;
  while (!(isOver() && done >= posted) && lastMs < OVERRUN * endMs) {
    lastMs += STEP_MS;
    simulation.run(lastMs);
    if (lastMs <= endMs) backlog = posted - done;
  }
  const lasted = lastMs / 1000;
  const counts = { perSecond: done / lasted, backlog, commits, batches };
  return { posts, reads, scored, used: plant.used(), lasted, ...counts };
}
