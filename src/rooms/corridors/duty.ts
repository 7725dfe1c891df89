/** Figures of corridors as metrics: one worker reads them for all, from the newest rows, and no transaction waits for it. */
import { freezeOf, stopOf } from '../../core/domain/control.ts';
import { regionOf } from '../../core/domain/corridor.ts';
import type { Worker } from '../../core/room.ts';
import { findTails, type Tail, tailRows } from '../../core/store/partitions/tails.ts';
import type { Database } from '../../kit/database/pool.ts';
import type { Duty } from '../../kit/duties/run-duties.ts';
import { healthOf, readHealth } from './corridor-health.ts';
import { createCorridorMetrics } from './metrics.ts';

/** Shorter: the readings, of some 0.2 s of a processor, are felt; longer: dashboards lag, also after another worker has the lead. */
const EVERY_MS = 30_000;

/** Blocks read from the end of a month, 8 MiB. Fewer: busy traffic is judged by seconds; more: a slower reading. */
const TAIL_BLOCKS = 1024;
/** Words of clients that are told apart. More: more series of a metric. */
const WORDS_MAX = 10;
/** A word is told where it has such a share of all: ids that a client writes there are each rare, and become no label. */
const SHARE_MIN = 0.01;
const COMMON = `having sum(count) >= ${SHARE_MIN} * (select sum(count) from counted)`;
type Volume = {
  readonly corridor: string;
  readonly currency: string;
  readonly channel: string;
  readonly type: string;
  readonly perSecond: number;
};

/** The time that rates are of. */
const WINDOW = "interval '5 minutes'";

export function bindCorridorFigures(worker: Worker): Duty {
  const { database, leadership } = worker;
  const gauges = createCorridorMetrics(worker.metrics.make);
  const lead = leadership.of('care');
  const report = async () => {
    const { settings } = worker.controls.current();
    const corridors = [...settings.keys()];
    const health = await readFacts(corridors, worker);
    const volumes = await readVolumes(database, Date.now());
    clear();
    for (const [corridor, own] of settings)
      gauges.region.set({ corridor, region: regionOf(corridor, own) }, own.version);
    for (const { corridor, score, parts, availability, activeAccounts } of health) {
      gauges.health.set({ corridor }, score);
      for (const [part, ratio] of Object.entries(parts)) {
        gauges.healthParts.set({ corridor, part }, ratio);
      }
      if (availability !== null) gauges.availability.set({ corridor }, availability);
      gauges.activeAccounts.set({ corridor }, activeAccounts);
    }
    for (const { perSecond, ...labels } of volumes) gauges.volume.set(labels, perSecond);
  };
  const clear = () => {
    for (const gauge of Object.values(gauges)) gauge.reset();
  };
  return {
    name: 'corridor-figures',
    everyMs: EVERY_MS,
    run: async () => {
      let isTold = false;
      try {
        isTold = await lead.run(report);
      } finally {
        // Another worker leads, or the figures could not be read: what this worker saw last is out of date.
        if (!isTold) clear();
      }
    },
  };
}

async function readFacts(corridors: readonly string[], worker: Worker) {
  const read = await readHealth(corridors, worker, Date.now());
  const now = worker.controls.current();
  return read.map(({ corridor, activeAccounts, facts }) => {
    const isOpen = stopOf(now, corridor) === undefined && freezeOf(now, corridor) === undefined;
    const { availability } = facts;
    return { corridor, activeAccounts, availability, ...healthOf({ ...facts, isOpen }) };
  });
}

// Where a tail begins within the five minutes, the rates are of the time since then.
const textOf = (tails: readonly Tail[]) => `
  with tail as materialized (${tailRows('transactions', tails, 'corridor, currency, channel, type, received_at', 2)}),
  reach as (
    select greatest(now() - ${WINDOW}, (
      select max(first) from (select min(received_at) as first from tail where table_name = any ($1) group by table_name) cut
    )) as since),
  counted as materialized (
    select corridor, currency, coalesce(channel, 'none') as channel, coalesce(type, 'none') as type, count(*) as count
      from tail where received_at > now() - ${WINDOW} group by 1, 2, 3, 4),
  channels as (select channel as word from counted group by channel ${COMMON} order by sum(count) desc, channel limit ${WORDS_MAX}),
  types as (select type as word from counted group by type ${COMMON} order by sum(count) desc, type limit ${WORDS_MAX}),
  told as (
    select corridor, currency, count, coalesce(c.word, 'other') as channel, coalesce(t.word, 'other') as type
      from counted left join channels c on c.word = channel left join types t on t.word = type)
  select corridor, currency, channel, type,
         (sum(count) / greatest(1, extract(epoch from now() - (select since from reach))))::float8 as "perSecond"
    from told group by corridor, currency, channel, type`;

/**
 * Transactions accepted a second by corridor, currency, channel and type, from the newest rows of the market.
 */
async function readVolumes(database: Pick<Database, 'query'>, nowMs: number): Promise<Volume[]> {
  const tails = await findTails(database, 'transactions', nowMs, TAIL_BLOCKS);
  const cut = tails.filter(({ isWhole }) => !isWhole).map(({ name }) => name);
  const values = [cut, ...tails.map(({ from }) => from)];
  return await database.query<Volume>({ text: textOf(tails) }, values);
}
