/**
 * Yesterday's scores as people try rules on them: a bounded sample, spread like the traffic, that stays decoded in memory while
 * somebody edits, so that a changed rule is answered within a second.
 */
import { setImmediate as othersRan } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { type RuleInputs, VERDICTS } from '../../core/domain/score-record.ts';
import type { Models, Opinion } from '../../core/score/judge.ts';
import { knownInputs } from '../../core/score/rules/rule-inputs.ts';
import { sampleDecisions } from '../../core/store/scores/score-window.ts';
import type { Database } from '../../kit/database/pool.ts';
import { DAY_MS } from '../../kit/words/utc-bucket.ts';
import { sumBy } from './outcomes.ts';

/** More: a change is answered later than within a second, and a process grows by 0.5 KiB a row. Fewer: rare rules are not seen. */
export const SAMPLE_ROWS = 20_000;
/** Longer: labels that came since are unknown. Shorter: an editor waits for the sample more often. */
const AGE_MS_MAX = 600_000;
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

export type DaySample = {
  readonly fromMs: number;
  readonly toMs: number;
  /** All scores of the day, by the daily tallies. */
  readonly scores: number;
  /** In an order that has nothing to do with time, so that the first rows stand for all. */
  readonly rows: readonly SampledRow[];
};
export type ReadDay = () => Promise<DaySample>;

/** The sample of the last whole UTC day; one reading serves all who ask. */
export function createDayReader(database: Database, models: Models, nowMs: () => number): ReadDay {
  const samples = new LRUCache<number, DaySample>({
    max: 1,
    ttl: AGE_MS_MAX,
    ttlAutopurge: true,
    fetchMethod: (fromMs, _, { signal }) => readDay(database, models, fromMs, signal),
  });
  return async () => {
    const fromMs = (Math.floor(nowMs() / DAY_MS) - 1) * DAY_MS;
    const sample = await samples.fetch(fromMs);
    if (sample === undefined) throw new Error('the sample of a day is always read');
    return sample;
  };
}

async function readDay(
  database: Database,
  models: Models,
  fromMs: number,
  signal: AbortSignal,
): Promise<DaySample> {
  const toMs = fromMs + DAY_MS;
  const scores = await sumBy(database, VERDICTS, fromMs, fromMs);
  const found = await sampleDecisions(database.query, { fromMs, toMs }, SAMPLE_ROWS, signal);
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
  return {
    fromMs,
    toMs,
    rows: mixed(rows),
    scores: [...scores.values()].reduce((sum, count) => sum + count, 0),
  };
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
