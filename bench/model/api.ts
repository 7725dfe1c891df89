/** An API process: posts that share commits, appends, and reads. */
import { createCoalescer } from './coalescer.ts';
import { type Plant, rowsOf, type Stream, type Waiting } from './plant.ts';
import { createSlots, type Process } from './simulation.ts';

/** Rows of posts, rows of the commits that they share, and commits at a time (accept-one.ts, accept-batch.ts). */
const LANES = [
  { ofRowsMax: 1, sizeMax: 64, runsMax: 2 },
  { ofRowsMax: 250, sizeMax: 1000, runsMax: 1 },
  { ofRowsMax: 1000, sizeMax: 1000, runsMax: 2 },
] as const;
const [COMMIT_PACE_MS, POOL] = [8, 10] as const;
/** The niceness of −7, which an API has, is worth so much more of a processor. */
const API_WEIGHT = 1.25 ** 7;

export type Api = {
  readonly post: (rows: number, dueMs: number) => Process;
  readonly read: () => Process;
};

export function openApi(plant: Plant, stream: Stream, onCommit: () => void): Api {
  const { simulation, random, hop, work, costs, site, onPrimary, disk, redis } = plant;
  const { api, postgres } = costs;
  const thread = plant.thread('api', API_WEIGHT);
  const pool = createSlots(POOL);
  plant.idle(thread, costs.idle.api / site.apis);
  function* commit(posts: readonly Waiting[]): Process {
    const rows = rowsOf(posts);
    onCommit();
    yield work(thread, (api.commit + api.transaction * rows) / 2);
    yield pool.take;
    yield* onPrimary(postgres.statement + postgres.claimed * rows);
    yield disk.write;
    yield hop;
    pool.release();
    yield work(thread, api.commit / 2);
    yield hop;
    yield work(redis, costs.redis.stream * plant.streamsOf(rows) + costs.redis.appended * rows);
    for (const post of posts) stream.append(post);
    yield hop;
  }
  const lanes = LANES.map((lane) => ({
    ...lane,
    submit: createCoalescer(simulation, { ...lane, paceMs: COMMIT_PACE_MS }, commit),
  }));
  return {
    *post(rows, dueMs) {
      yield work(thread, api.request + (api.transaction * rows) / 2);
      const lane = lanes.find(({ ofRowsMax }) => rows <= ofRowsMax);
      if (lane === undefined) throw new Error(`a post of ${rows} rows is refused`);
      yield lane.submit({ rows, dueMs });
    },
    *read() {
      yield work(thread, api.read / 2);
      if (random() < site.readsMissed) {
        yield pool.take;
        yield* plant.lookUp(postgres.read);
        yield hop;
        pool.release();
        yield work(redis, costs.redis.read);
      }
      yield work(thread, api.read / 2);
    },
  };
}
