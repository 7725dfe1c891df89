/**
 * Scores of some days, yesterday's by default, as people try rules on them: a bounded sample, spread like the traffic, that stays
 * decoded in memory while somebody edits, so that a changed rule is answered within a second.
 */
import { setImmediate as othersRan } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { type RuleInputs, VERDICTS } from '../../core/domain/score-record.ts';
import type { Models, Opinion } from '../../core/score/judge.ts';
import { knownInputs } from '../../core/score/rules/rule-inputs.ts';
import { type ScoreWindow, sampleDecisions } from '../../core/store/scores/score-window.ts';
import type { Database } from '../../kit/database/pool.ts';
import { DAY_MS } from '../../kit/words/utc-bucket.ts';
import { sumBy, totalOf } from './outcomes.ts';

/** More: a change is answered later than within a second, and a process grows by 0.5 KiB a row. Fewer: rare rules are not seen. */
export const SAMPLE_ROWS = 20_000;
/** Longer: labels that came since are unknown. Shorter: an editor waits for the sample more often. */
const AGE_MS_MAX = 600_000;
/** More: a process grows by 10 MiB each. Fewer: people who try rules on several windows wait for samples more often. */
const SAMPLES_MAX = 4;
/** Longer: other requests wait for a preview. Shorter: pauses take longer than what is between them. */
const PAUSE_EVERY_MS = 4;

export type SampledRow = {
  readonly vector: Float64Array;
  readonly featureSchema: number;
  readonly corridor: string;
  /** Inputs that the score recorded, and those that follow from the currency. */
  readonly ruleInputs: RuleInputs | null;
  /** Null where the rules decided alone. */
  readonly opinion: Opinion | null;
  /** By the label that is current; null without one. */
  readonly isFraud: boolean | null;
};

/** Whole UTC days. */
export type SampledDays = ScoreWindow & { readonly corridor?: string | undefined };

export type DaySample = SampledDays & {
  /** All scores of the days, by the daily tallies. */
  readonly scores: number;
  /** In an order that has nothing to do with time, so that the first rows stand for all. */
  readonly rows: readonly SampledRow[];
};
/** Without an argument: the last whole UTC day of all corridors. */
export type ReadDays = (asked?: {
  readonly day?: number | undefined;
  readonly days?: number | undefined;
  readonly corridor?: string | undefined;
}) => Promise<DaySample>;

/** Readings go on, as others may have come to wait for the same sample. */
const NEVER = AbortSignal.any([]);

/** Samples are read once for all who ask. */
export function createDaysReader(
  database: Database,
  models: Models,
  nowMs: () => number,
): ReadDays {
  const samples = new LRUCache<string, DaySample, SampledDays>({
    max: SAMPLES_MAX,
    ttl: AGE_MS_MAX,
    ttlAutopurge: true,
    fetchMethod: (_, _stale, { context }) => readDays(database, models, context),
    // A sample that gives way while it is read still answers those who wait for it.
    ignoreFetchAbort: true,
  });
  return async ({ day, days = 1, corridor } = {}) => {
    const lastMs = day ?? (Math.floor(nowMs() / DAY_MS) - 1) * DAY_MS;
    const context = { fromMs: lastMs - (days - 1) * DAY_MS, toMs: lastMs + DAY_MS, corridor };
    const sample = await samples.fetch(`${lastMs} ${days} ${corridor}`, { context });
    if (sample === undefined) throw new Error('the sample of days is always read');
    return sample;
  };
}

async function readDays(
  database: Database,
  models: Models,
  window: SampledDays,
): Promise<DaySample> {
  const { fromMs, toMs, corridor } = window;
  const days = { firstMs: fromMs, lastMs: toMs - DAY_MS, corridor };
  const scores = totalOf(await sumBy(database, VERDICTS, days));
  const found = await sampleDecisions(database.query, window, SAMPLE_ROWS, NEVER);
  const bandsOf = await readBands(models, found);
  const rows = found.map(
    ({ model, probability, currency, ...row }): SampledRow => ({
      ...row,
      ruleInputs: currency === null ? row.ruleInputs : knownInputs(row.ruleInputs, currency),
      opinion:
        model === null || probability === null
          ? null
          : { probability, bands: bandsOf.get(model) ?? null, factors: () => [] },
    }),
  );
  return { ...window, rows: mixed(rows), scores };
}

/** The bands of models that have their own; a model that is no longer there decides by those of the rule set. */
async function readBands(
  models: Models,
  rows: readonly { readonly model: string | null; readonly vector: Float64Array }[],
): Promise<Map<string, Opinion['bands']>> {
  const bands = new Map<string, Opinion['bands']>();
  for (const { model, vector } of rows) {
    if (model === null || bands.has(model)) continue;
    const found = await models.find(model);
    bands.set(model, 'model' in found ? (found.model.judge([vector])[0]?.bands ?? null) : null);
  }
  return bands;
}

/** A prime above SAMPLE_ROWS: its multiples reach every row once. */
const STEP = 1_000_003;
const mixed = <Row>(rows: readonly Row[]): Row[] =>
  rows.map((_, at) => rows[(at * STEP) % rows.length] as Row);

/**
 * Lets others run where the last pause was a while ago.
 * @param signal aborted when nobody waits any more; the next pause then throws
 */
export function createPauses(signal?: AbortSignal): () => Promise<void> {
  let sinceMs = performance.now();
  return async () => {
    if (performance.now() - sinceMs < PAUSE_EVERY_MS) return;
    await othersRan();
    signal?.throwIfAborted();
    sinceMs = performance.now();
  };
}
