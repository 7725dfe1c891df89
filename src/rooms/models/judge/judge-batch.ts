/**
 * Lets the models in force judge a batch: per row the canary if its account is drawn, else the active model; beside them the
 * shadows, whose opinions decide nothing. A model has one call for its rows of a corridor, so that a failure stays there. If a
 * model fails or is suspended, the next in line judges, at the end the rules alone, as for rows beyond a limit of inference.
 */
import {
  BY_RULES,
  type Judged,
  type JudgedRow,
  type Judgement,
  type JudgingModel,
  type Opinion,
} from '../../../core/score/judge.ts';
import { type InForce, isDrawn, lineOf } from '../../../core/score/rollout/in-force.ts';
import type { RolloutCounts } from '../../../core/work/rollout-counts.ts';
import type { Metrics } from '../../../kit/metrics/metrics.ts';
import type { ModelHealth } from './model-health.ts';

export type ModelsInForce = {
  readonly corridors: ReadonlyMap<string, InForce>;
  /** By id; null did not pass its checks in this process. */
  readonly models: ReadonlyMap<string, JudgingModel | null>;
};

/** Without the models of these names, as after their rollback; not even their shadows are asked. */
export function withoutModels(inForce: ModelsInForce, names: readonly string[]): ModelsInForce {
  if (names.length === 0) return inForce;
  const { corridors, models } = inForce;
  const isOn = (modelId: string) => !names.includes(models.get(modelId)?.name ?? '');
  const left = [...corridors].map(([corridor, { active, canary, shadows }]): [string, InForce] => [
    corridor,
    {
      active: active.filter(isOn),
      canary: canary !== null && isOn(canary.subject) ? canary : null,
      shadows: shadows.filter(isOn),
    },
  ]);
  return { corridors: new Map(left), models };
}

type Shadow = { modelId: string; transactionIds: string[]; probabilities: number[] };

const BY_RULES_INSTEAD: Judgement = { ...BY_RULES, degradation: 1 };

/** How a model does in a corridor. */
export type Standing = {
  readonly health: ModelHealth;
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

/** The questions of a batch to the models in force, those to the deciding models of all corridors first. */
export function planBatch(
  rows: readonly JudgedRow[],
  { corridors, models }: ModelsInForce,
): Questions[] {
  const deciding: Questions[] = [];
  const beside: Questions[] = [];
  const transactionAt = (index: number) => (rows[index] as JudgedRow).transaction;
  const linesOf = (modelIds: readonly string[]) => modelIds.map((id) => models.get(id) ?? null);
  for (const [corridor, all] of Map.groupBy(rows.keys(), (at) => transactionAt(at).corridor)) {
    const inForce = corridors.get(corridor);
    if (inForce === undefined) continue;
    const drawnAt = (index: number) => isDrawn(inForce, transactionAt(index).accountId);
    for (const [drawn, indexes] of Map.groupBy(all, drawnAt)) {
      const line = linesOf(lineOf(inForce, drawn));
      deciding.push({ corridor, role: 'deciding', line, indexes, asked: indexes.length });
    }
    for (const modelId of inForce.shadows) {
      const line = linesOf([modelId]);
      beside.push({ corridor, role: 'shadow', line, indexes: all, asked: all.length });
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
    if (model === null || opinions === undefined) continue;
    const { modelId } = model;
    const told = shadows.get(modelId) ?? { modelId, transactionIds: [], probabilities: [] };
    shadows.set(modelId, told);
    told.transactionIds.push(...own.map(({ transaction }) => transaction.transactionId));
    told.probabilities.push(...opinions.map(({ probability }) => probability));
  }
  return { judgements, shadows: [...shadows.values()] };
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
    return (row) => ({ opinion: opinions[row] as Opinion, model: model.name, degradation });
  }
  return () => (line.length === 0 ? BY_RULES : BY_RULES_INSTEAD);
}

/** An opinion for each row; undefined where the model is suspended or fails. */
function ask(
  { standingOf, onFailure, metrics, note, nowMs }: Asking,
  corridor: string,
  model: JudgingModel,
  rows: readonly JudgedRow[],
  role: 'deciding' | 'shadow',
): Opinion[] | undefined {
  if (rows.length === 0) return undefined;
  const standing = standingOf(corridor, model);
  const decided = role === 'deciding' ? rows.length : 0;
  if (!standing.health.mayRun()) {
    note(model.modelId, corridor, { decided, failed: decided, tookMs: 0 });
    return undefined;
  }
  const startedMs = nowMs();
  let opinions: Opinion[] | undefined;
  try {
    opinions = model.judge(rows.map(({ vector }) => vector));
  } catch (error) {
    onFailure(model, error);
  }
  const tookMs = nowMs() - startedMs;
  metrics.modelDuration.observe({ model: model.name }, tookMs / 1000);
  const failed = opinions === undefined ? decided : 0;
  note(model.modelId, corridor, { decided, failed, tookMs });
  const why = standing.health.note({ tookMs, isFailed: opinions === undefined });
  if (role === 'deciding') standing.hopeless ??= why;
  const labels = { corridor, model: model.name };
  if (opinions === undefined) metrics.modelErrors.inc(labels);
  else metrics.modelScored.inc({ ...labels, role }, rows.length);
  return opinions;
}
