/** A worker: reads what waits, up to a bound, and brings it to stored and published scores. */
import { type Plant, rowsOf, type Stream, type Waiting } from './plant.ts';
import type { Process } from './simulation.ts';

/** intake.ts and the defaults of its settings. */
const [BATCH_MAX, READERS, SMALL_BATCH, SMALL_BATCH_PACE_MS] = [1000, 4, 64, 8] as const;

export function startWorker(
  plant: Plant,
  stream: Stream,
  onBatch: (entries: readonly Waiting[]) => void,
): void {
  const { simulation, hop, work, costs, site, onPrimary, disk, redis } = plant;
  const { now, delay, start } = simulation;
  const { worker, postgres } = costs;
  const thread = plant.thread('worker');
  const each = worker.transaction * (1 + worker.mergedShare * (site.workers - 1));
  let [inFlight, rowsInFlight, filled, restUntilMs] = [0, 0, 0, 0];
  let wake = () => {};
  plant.idle(thread, costs.idle.worker / site.workers);

  function* score(entries: readonly Waiting[], rows: number): Process {
    yield work(thread, worker.batch / 2 + each * rows * 0.6);
    yield hop;
    yield work(redis, costs.redis.folded * rows);
    yield hop;
    yield work(thread, worker.batch / 4 + each * rows * 0.3);
    yield* onPrimary(postgres.statement + postgres.scored * rows);
    yield disk.write;
    yield hop;
    yield work(thread, worker.batch / 4 + each * rows * 0.1);
    yield hop;
    yield work(redis, costs.redis.stream * plant.streamsOf(rows));
    onBatch(entries);
    yield hop;
  }

  function* look(): Process {
    yield hop;
    yield work(redis, costs.redis.look * site.corridors);
    yield hop;
  }

  function* room(): Process {
    while (inFlight >= Math.max(1, Math.floor(filled * READERS))) {
      yield (resume) => {
        wake = resume;
      };
    }
    if (now() < restUntilMs) yield delay(restUntilMs - now());
  }

  function begin(entries: readonly Waiting[]): void {
    const rows = rowsOf(entries);
    filled = Math.min(1, (rows + rowsInFlight) / BATCH_MAX);
    if (rows === 0) return;
    if (rows < SMALL_BATCH) restUntilMs = now() + SMALL_BATCH_PACE_MS;
    inFlight += 1;
    rowsInFlight += rows;
    start(score(entries, rows), () => {
      inFlight -= 1;
      rowsInFlight -= rows;
      const waked = wake;
      wake = () => {};
      waked();
    });
  }

  function* intake(): Process {
    for (;;) {
      yield* room();
      yield* look();
      if (stream.isEmpty()) {
        yield stream.arrived;
        yield* look();
      }
      begin(stream.take(BATCH_MAX));
    }
  }
  start(intake());
}
