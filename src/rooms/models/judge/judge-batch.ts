/**
 * Lets the models in force judge a batch: per row the canary if its account is drawn, else the active model; beside them the
 * shadows, whose opinions decide nothing. A model has one call for its rows of a corridor, so that a failure stays there. If a
 * model fails or is suspended, the next in line judges, at the end the rules alone, as for rows beyond a limit of inference.
 */
import { type Controls, decidingIn, isModelOn, offOf } from '../../../core/domain/control.ts';
import {
  BY_RULES,
  type Judged,
  type JudgedRow,
  type Judgement,
  type JudgingModel,
} from '../../../core/score/judge.ts';
import type { Opinion } from '../../../core/score/opinion.ts';
import { type InForce, isDrawn, lineOf } from '../../../core/score/rollout/in-force.ts';
import type { RolloutCounts } from '../../../core/work/rollout-counts.ts';
import type { Metrics } from '../../../kit/metrics/metrics.ts';

export type ModelsInForce = {
  readonly corridors: ReadonlyMap<string, InForce>;
  /** By id; null did not pass its checks in this process. */
  readonly models: ReadonlyMap<string, JudgingModel | null>;
};

/** A call slower than this is as bad as one that fails. */
const SLOW_MS = 500;
/** Duration of a call beyond which, as after errors, a model is not only suspended but rolled back. */
const SEVERE_MS = 2000;
/** Share of bad calls above which a model is suspended, and how many there must be at least. */
const BAD_SHARE_MAX = 0.05;
const BAD_CALLS_MIN = 3;
const WINDOW_MS = 60_000;
/** Most calls that are remembered: more than a minute's at one a batch. */
const CALLS_MAX = 2000;
/** Trial calls, all of which must succeed. */
const TRIALS = 3;
const SUSPENDED_MS_MIN = 5000;
const SUSPENDED_MS_MAX = 300_000;
/** Two severe suspensions within this time make a model hopeless. */
const RELAPSE_MS = 600_000;

type ModelCall = { readonly tookMs: number; readonly isFailed: boolean };

type Shadow = { modelId: string; transactionIds: string[]; probabilities: number[] };

const BY_RULES_INSTEAD: Judgement = { ...BY_RULES, degradation: 1 };

/** How a model does in a corridor. */
export type Standing = {
  readonly health: ReturnType<typeof createModelHealth>;
  /** Why the model must be rolled back: it failed again and again where it decides. */
  hopeless: string | undefined;
};

export type Asking = {
  readonly standingOf: (corridor: string, model: JudgingModel) => Standing;
  readonly onFailure: (model: JudgingModel, error: unknown) => void;
  readonly metrics: Pick<Metrics, 'modelDuration' | 'modelErrors' | 'modelScored'>;
  /** Counts what a model was asked to decide. */
  readonly note: RolloutCounts['note'];
  /** Monotonic clock. */
  readonly nowMs: () => number;
};

/** Rows of one corridor for which the same models are to be asked. */
export type Questions = {
  readonly corridor: string;
  readonly role: 'deciding' | 'shadow';
  /** The models in the order in which they are asked until one answers; null never does. */
  readonly line: readonly (JudgingModel | null)[];
  /** Where the rows stand in the batch. */
  readonly indexes: readonly number[];
  /** How many of the rows, from the first on, models are asked for. */
  readonly asked: number;
};

/** Questions of a batch to the models that controls leave in force: first those to models that decide, in all corridors. */
export function planBatch(
  rows: readonly JudgedRow[],
  { corridors, models }: ModelsInForce,
  controls: Controls,
): Questions[] {
  const isShadowing = offOf(controls, 'shadows') === undefined;
  const deciding: Questions[] = [];
  const beside: Questions[] = [];
  const transactionAt = (index: number) => (rows[index] as JudgedRow).transaction;
  const modelsOf = (modelIds: readonly string[]) => modelIds.map((id) => models.get(id) ?? null);
  for (const [corridor, all] of Map.groupBy(rows.keys(), (at) => transactionAt(at).corridor)) {
    const inForce = corridors.get(corridor);
    if (inForce === undefined) continue;
    const drawnAt = (index: number) => isDrawn(inForce, transactionAt(index).accountId);
    for (const [drawn, indexes] of Map.groupBy(all, drawnAt)) {
      const line = decidingIn(controls, modelsOf(lineOf(inForce, drawn)));
      deciding.push({ corridor, role: 'deciding', line, indexes, asked: indexes.length });
    }
    for (const model of isShadowing ? modelsOf(inForce.shadows) : []) {
      if (model === null || !isModelOn(controls, model.name)) continue;
      beside.push({ corridor, role: 'shadow', line: [model], indexes: all, asked: all.length });
    }
  }
  return [...deciding, ...beside];
}

export function judgeBatch(
  asking: Asking,
  rows: readonly JudgedRow[],
  plan: readonly Questions[],
): Judged {
  const judgements = new Array<Judgement>(rows.length).fill(BY_RULES);
  const shadows = new Map<string, Shadow>();
  for (const { corridor, role, line, indexes, asked } of plan) {
    const own = indexes.slice(0, asked).map((index) => rows[index] as JudgedRow);
    if (role === 'deciding') {
      const judged = decide(asking, corridor, line, own);
      for (const [at, index] of indexes.entries())
        judgements[index] = at < asked ? judged(at) : BY_RULES_INSTEAD;
      continue;
    }
    const model = line[0] ?? null;
    const opinions = model === null ? undefined : ask(asking, corridor, model, own, 'shadow');
    if (model !== null && opinions !== undefined) hear(shadows, model, own, opinions);
  }
  return { judgements, shadows: [...shadows.values()] };
}

function hear(
  shadows: Map<string, Shadow>,
  { modelId }: JudgingModel,
  rows: readonly JudgedRow[],
  opinions: readonly (Opinion | null)[],
): void {
  for (const [at, { transaction }] of rows.entries()) {
    const opinion = opinions[at] ?? null;
    if (opinion === null) continue;
    const told = shadows.get(modelId) ?? { modelId, transactionIds: [], probabilities: [] };
    shadows.set(modelId, told);
    told.transactionIds.push(transaction.transactionId);
    told.probabilities.push(opinion.probability);
  }
}

/** The judgement of each row by the first model that answers. */
function decide(
  asking: Asking,
  corridor: string,
  line: readonly (JudgingModel | null)[],
  rows: readonly JudgedRow[],
): (row: number) => Judgement {
  for (const [turn, model] of line.entries()) {
    if (model === null) continue;
    const opinions = ask(asking, corridor, model, rows, 'deciding');
    if (opinions === undefined) continue;
    const degradation = turn > 0 ? 1 : 0;
    const { name, under } = model;
    return (row) => {
      const opinion = opinions[row] ?? null;
      return opinion === null ? BY_RULES : { opinion, model: name, under, degradation };
    };
  }
  return () => (line.length === 0 ? BY_RULES : BY_RULES_INSTEAD);
}

/**
 * An opinion for each row, or null where the model says nothing; undefined where the model is suspended or fails. Opinions alone
 * count as decisions: a model that says nothing has shown nothing.
 */
function ask(
  { standingOf, onFailure, metrics, note, nowMs }: Asking,
  corridor: string,
  model: JudgingModel,
  rows: readonly JudgedRow[],
  role: 'deciding' | 'shadow',
): (Opinion | null)[] | undefined {
  if (rows.length === 0) return undefined;
  const standing = standingOf(corridor, model);
  const decided = role === 'deciding' ? rows.length : 0;
  if (!standing.health.mayRun()) {
    note(model.modelId, corridor, { decided, failed: decided, tookMs: 0 });
    return undefined;
  }
  const startedMs = nowMs();
  let opinions: (Opinion | null)[] | undefined;
  try {
    opinions = model.judge(rows);
  } catch (error) {
    onFailure(model, error);
  }
  const tookMs = nowMs() - startedMs;
  metrics.modelDuration.observe({ model: model.name }, tookMs / 1000);
  const heard = opinions?.filter((opinion) => opinion !== null).length ?? rows.length;
  const failed = opinions === undefined ? decided : 0;
  note(model.modelId, corridor, { decided: Math.min(decided, heard), failed, tookMs });
  const why = standing.health.note({ tookMs, isFailed: opinions === undefined });
  if (role === 'deciding') standing.hopeless ??= why;
  const labels = { corridor, model: model.name };
  if (opinions === undefined) metrics.modelErrors.inc(labels);
  else metrics.modelScored.inc({ ...labels, role }, heard);
  return opinions;
}

/**
 * Whether a model may go on deciding in one corridor, by the durations and failures of its calls. One bad call
 * proves nothing, and the rules judge in its place. Several in a minute suspend the model; after a wait that
 * doubles each time, trial calls show whether it works again. A model that fails again is hopeless.
 * @param nowMs monotonic clock
 */
export function createModelHealth(nowMs: () => number) {
  let calls: (ModelCall & { readonly atMs: number })[] = [];
  let suspendedUntilMs: number | null = null;
  let waitMs = SUSPENDED_MS_MIN;
  let severeAtMs: number | null = null;
  let suspendedAtMs = Number.NEGATIVE_INFINITY;
  let trials = 0;

  const suspend = (isSevere: boolean): string | undefined => {
    const atMs = nowMs();
    waitMs = atMs - suspendedAtMs > RELAPSE_MS ? SUSPENDED_MS_MIN : waitMs;
    suspendedAtMs = atMs;
    suspendedUntilMs = atMs + waitMs;
    waitMs = Math.min(2 * waitMs, SUSPENDED_MS_MAX);
    trials = 0;
    if (!isSevere) return undefined;
    const isRelapse = severeAtMs !== null && atMs - severeAtMs <= RELAPSE_MS;
    severeAtMs = atMs;
    return isRelapse ? describe(calls) : undefined;
  };
  const noteTrial = (call: ModelCall): string | undefined => {
    if (isBad(call)) return suspend(isSevereCall(call));
    trials += 1;
    if (trials === TRIALS) {
      suspendedUntilMs = null;
      calls = [];
    }
    return undefined;
  };
  return {
    /** True also for a trial call. */
    mayRun: () => suspendedUntilMs === null || nowMs() >= suspendedUntilMs,
    isSuspended: () => suspendedUntilMs !== null,
    /** Records a call; returns the reason when the model should be rolled back. */
    note(call: ModelCall) {
      const atMs = nowMs();
      calls.push({ ...call, atMs });
      const expired = calls.findIndex((call) => atMs - call.atMs <= WINDOW_MS);
      calls.splice(0, Math.max(expired, calls.length - CALLS_MAX));
      if (suspendedUntilMs !== null) return noteTrial(call);
      if (!isBad(call)) return undefined;
      const bad = calls.filter(isBad);
      if (bad.length < BAD_CALLS_MIN || bad.length <= BAD_SHARE_MAX * calls.length)
        return undefined;
      return suspend(bad.filter(isSevereCall).length >= BAD_CALLS_MIN);
    },
  };
}

function isBad({ tookMs, isFailed }: ModelCall): boolean {
  return isFailed || tookMs > SLOW_MS;
}

function isSevereCall({ tookMs, isFailed }: ModelCall): boolean {
  return isFailed || tookMs > SEVERE_MS;
}

function describe(calls: readonly ModelCall[]): string {
  const failed = calls.filter(({ isFailed }) => isFailed).length;
  const slow = calls.filter(({ tookMs }) => tookMs > SEVERE_MS).length;
  return `of ${calls.length} calls within a minute ${failed} failed and ${slow} took over ${SEVERE_MS} ms, again after a suspension`;
}
