/**
 * Scores of the last whole UTC day, as people try rules on them: a bounded sample, spread like the traffic, that stays decoded in
 * memory while somebody edits, so that the hits of a changed rule are known within a second.
 */
import { LRUCache } from 'lru-cache';
import type { RuleInputs } from '../../core/domain/score-record.ts';
import type { Models } from '../../core/score/judge.ts';
import type { Opinion } from '../../core/score/opinion.ts';
import type { CompiledRuleSet } from '../../core/score/rules/compile-rule-set.ts';
import { CORRIDOR_KEY } from '../../core/score/rules/generate-program.ts';
import { inputsOf, knownInputs } from '../../core/score/rules/rule-inputs.ts';
import { score } from '../../core/score/score.ts';
import { judgedVector } from '../../core/score/scorecard/judge-by-table.ts';
import { createFindTable, findTables } from '../../core/store/scorecards/find-tables.ts';
import { sampleDecisions } from '../../core/store/scores/score-window.ts';
import type { Database } from '../../kit/database/pool.ts';
import { createPauses } from '../../kit/process/pauses.ts';
import { DAY_MS } from '../../kit/words/range.ts';

/** More: a change is answered later than within a second, and a process grows by 0.5 KiB a row. Fewer: rare rules are not seen. */
const SAMPLE_ROWS = 20_000;
/** Longer: a process keeps its 10 MiB after the last editor has gone. Shorter: an editor waits for the sample more often. */
const AGE_MS_MAX = 600_000;

export type SampledRow = {
  readonly vector: Float64Array;
  readonly corridor: string;
  /** Inputs that the score recorded, and those that follow from the currency. */
  readonly ruleInputs: RuleInputs | null;
  /** Null where the rules decided alone. */
  readonly opinion: Opinion | null;
};

export type Yesterday = { readonly day: string; readonly rows: readonly SampledRow[] };
export type ReadYesterday = () => Promise<Yesterday>;

/** A rule set that would decline more of yesterday's scores is submitted by `accept_declines` alone. */
export const DECLINED_SHARE_MAX = 0.05;
/** A day with fewer rows says nothing of a rule set. */
const ROWS_MIN = 100;

/** The sample is read once for all who ask. */
export function createYesterdayReader(
  database: Database,
  models: Models,
  nowMs: () => number,
): ReadYesterday {
  const samples = new LRUCache<number, Yesterday>({
    max: 1,
    ttl: AGE_MS_MAX,
    ttlAutopurge: true,
    fetchMethod: (fromMs) => readDay(database, models, fromMs),
    // A sample that gives way while it is read still answers those who wait for it.
    ignoreFetchAbort: true,
  });
  return async () => {
    const sample = await samples.fetch((Math.floor(nowMs() / DAY_MS) - 1) * DAY_MS);
    if (sample === undefined) throw new Error('the sample of yesterday is always read');
    return sample;
  };
}

async function readDay(database: Database, models: Models, fromMs: number): Promise<Yesterday> {
  const window = { fromMs, toMs: fromMs + DAY_MS };
  const found = await sampleDecisions(database.query, window, SAMPLE_ROWS);
  const bandsOf = await readBands(database, models, found);
  const rows = found.map(
    ({ model, scorecard, probability, currency, ...row }): SampledRow => ({
      ...row,
      ruleInputs: currency === null ? row.ruleInputs : knownInputs(row.ruleInputs, currency),
      opinion:
        model === null || probability === null
          ? null
          : { probability, bands: bandsOf.get(`${model} ${scorecard}`) ?? null, factors: () => [] },
    }),
  );
  return { day: new Date(fromMs).toISOString().slice(0, 10), rows };
}

/** The bands of models that have their own, by model and table; a model that is no longer there decides by those of the rule set. */
async function readBands(
  { query }: Database,
  models: Models,
  rows: Awaited<ReturnType<typeof sampleDecisions>>,
): Promise<Map<string, Opinion['bands']>> {
  const tables = await findTables(createFindTable(query), rows);
  const bands = new Map<string, Opinion['bands']>();
  for (const { model, scorecard, vector } of rows) {
    const key = `${model} ${scorecard}`;
    if (model === null || bands.has(key)) continue;
    const found = await models.find(model);
    const table = tables.get(scorecard);
    // A table that is too old has decided nothing.
    const judged = judgedVector(vector, table, (table?.table.day ?? 0) * DAY_MS);
    bands.set(key, 'model' in found ? (found.model.judge([judged])[0]?.bands ?? null) : null);
  }
  return bands;
}

/** Tries a rule set on scores of yesterday: the hits of each rule, and whether it would decline too many. */
export async function countHits(ruleSet: CompiledRuleSet, { rows }: Yesterday) {
  const pause = createPauses();
  const { rules, program } = ruleSet;
  const hits = new Uint32Array(rules.length);
  for (const row of rows) {
    await pause();
    const probability = row.opinion?.probability ?? Number.NaN;
    const count = program.decide(row.vector, inputsOf(ruleSet, row, row.ruleInputs), probability);
    for (const at of program.fired.subarray(0, count)) hits[at] = (hits[at] ?? 0) + 1;
  }
  return {
    sampled: rows.length,
    rules: rules.map(({ id }, at) => ({ rule: id, hits: hits[at] ?? 0 })),
  };
}

/** A slip of a comparison declines everybody, so many declines, and unknown ones, take a word of their own: says why, or null. */
export async function refusalOf(
  ruleSet: CompiledRuleSet,
  yesterday: Yesterday,
): Promise<string | null> {
  const pause = createPauses();
  const { id } = ruleSet;
  const all = { rows: 0, declined: 0 };
  /** Scores that recorded all that the rule set reads. */
  const known = { rows: 0, declined: 0 };
  const unrecorded = new Set<string>();
  for (const row of yesterday.rows) {
    await pause();
    const { vector, opinion, ruleInputs } = row;
    const lacking = ruleSet.inputs.filter(
      (key) => key !== CORRIDOR_KEY && ruleInputs?.[key] === undefined,
    );
    for (const input of lacking) unrecorded.add(input);
    const inputs = inputsOf(ruleSet, row, ruleInputs);
    const isDeclined = score({ vector, ruleSet, opinion, inputs }).verdict === 'decline';
    for (const counts of lacking.length === 0 ? [all, known] : [all]) {
      counts.rows++;
      if (isDeclined) counts.declined++;
    }
  }
  if (all.rows < ROWS_MIN) return null;
  const accept = 'takes accept_declines=true (--accept-declines)';
  const { day } = yesterday;
  if (known.rows < ROWS_MIN) {
    const scores =
      known.rows === 0
        ? `no score of ${day} has`
        : `only ${known.rows} of ${all.rows} scores of ${day} have`;
    return `${id} reads ${[...unrecorded].join(', ')}, which ${scores} recorded, and what nobody can try ${accept}`;
  }
  for (const { rows, declined } of [all, known]) {
    if (declined <= DECLINED_SHARE_MAX * rows) continue;
    const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
    const of = `${percent(declined / rows)} of ${rows} scores of ${day}`;
    return `${id} would decline ${of}, and more than ${percent(DECLINED_SHARE_MAX)} ${accept}`;
  }
  return null;
}
