/**
 * Lets the models in force judge a batch: per row the canary if its account is drawn, else the active model; beside them the
 * shadows, whose opinions decide nothing. A model has one call for its rows of a corridor, so that a failure stays there. If a
 * model fails or is suspended, the next in line judges, at the end the rules alone.
 */
import {
  BY_RULES,
  type Judged,
  type JudgedRow,
  type Judgement,
  type JudgingModel,
  type Opinion,
} from '../../../core/score/judge.ts';
import type { Metrics } from '../../../kit/metrics/metrics.ts';
import { type InForce, isDrawn, lineOf } from '../rollout/in-force.ts';
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
      canary: canary !== null && isOn(canary.modelId) ? canary : null,
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
  /** Monotonic clock. */
  readonly nowMs: () => number;
};

export function judgeBatch(
  asking: Asking,
  rows: readonly JudgedRow[],
  { corridors, models }: ModelsInForce,
): Judged {
  const judgements = new Array<Judgement>(rows.length).fill(BY_RULES);
  const shadows = new Map<string, Shadow>();
  const rowAt = (index: number) => rows[index] as JudgedRow;
  const corridorAt = (index: number) => rowAt(index).transaction.corridor;
  for (const [corridor, indexes] of Map.groupBy(rows.keys(), corridorAt)) {
    const inForce = corridors.get(corridor);
    if (inForce === undefined) continue;
    const drawnAt = (index: number) => isDrawn(inForce, rowAt(index).transaction.accountId);
    for (const [drawn, own] of Map.groupBy(indexes, drawnAt)) {
      const line = lineOf(inForce, drawn).map((modelId) => models.get(modelId) ?? null);
      const judged = decide(asking, corridor, line, own.map(rowAt));
      for (const [at, index] of own.entries()) judgements[index] = judged(at);
    }
    const all = indexes.map(rowAt);
    for (const modelId of inForce.shadows) {
      const model = models.get(modelId) ?? null;
      const opinions = model === null ? undefined : ask(asking, corridor, model, all, 'shadow');
      if (opinions === undefined) continue;
      const told = shadows.get(modelId) ?? { modelId, transactionIds: [], probabilities: [] };
      shadows.set(modelId, told);
      told.transactionIds.push(...all.map(({ transaction }) => transaction.transactionId));
      told.probabilities.push(...opinions.map(({ probability }) => probability));
    }
  }
  return { judgements, shadows: [...shadows.values()] };
}

/**
 * The judgement of each row by the first model that answers.
 * @param line which model is asked first, and which if it does not answer; null never does
 */
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

/** One opinion a row; undefined where the model is suspended or fails. */
function ask(
  { standingOf, onFailure, metrics, nowMs }: Asking,
  corridor: string,
  model: JudgingModel,
  rows: readonly JudgedRow[],
  role: 'deciding' | 'shadow',
): Opinion[] | undefined {
  const standing = standingOf(corridor, model);
  if (!standing.health.mayRun()) return undefined;
  const startedMs = nowMs();
  let opinions: Opinion[] | undefined;
  try {
    opinions = model.judge(rows.map(({ vector }) => vector));
  } catch (error) {
    onFailure(model, error);
  }
  const tookMs = nowMs() - startedMs;
  metrics.modelDuration.observe({ model: model.name }, tookMs / 1000);
  const why = standing.health.note({ tookMs, isFailed: opinions === undefined });
  if (role === 'deciding') standing.hopeless ??= why;
  const labels = { corridor, model: model.name };
  if (opinions === undefined) metrics.modelErrors.inc(labels);
  else metrics.modelScored.inc({ ...labels, role }, rows.length);
  return opinions;
}
