/**
 * Lets the models in force judge a batch: per row the canary if its account is drawn, else the active
 * model; beside them the shadows, whose opinions decide nothing. One call a model for all of its rows.
 * Who fails or is suspended is passed over: the next in line judges, at the end the rules alone.
 */
import type { Metrics } from '../../kit/metrics/metrics.ts';
import type { Transaction } from '../domain/transaction.ts';
import type { ScoringModel } from '../score/models/registry/scoring-model.ts';
import type { Opinion } from '../score/opinion.ts';
import { type InForce, lineFor } from '../score/rollout/in-force.ts';
import type { ShadowBatch } from '../store/scores/shadow-batches.ts';
import type { ModelHealth } from './model-health.ts';

/** The part of a model that judging needs. */
export type JudgingModel = Pick<ScoringModel, 'modelId' | 'name' | 'judge'>;

export type ModelsInForce = {
  readonly corridors: ReadonlyMap<string, InForce>;
  /** By id; null did not pass its checks in this process. */
  readonly models: ReadonlyMap<string, JudgingModel | null>;
};

export type JudgedRow = { readonly transaction: Transaction; readonly vector: Float64Array };

type Judgement = {
  /** Null: the rules decide alone. */
  readonly opinion: Opinion | null;
  readonly model: string | null;
  /** 1 where it is not the model that should have judged. */
  readonly degradation: 0 | 1;
};

export const BY_RULES: Judgement = { opinion: null, model: null, degradation: 0 };
const BY_RULES_INSTEAD: Judgement = { opinion: null, model: null, degradation: 1 };

/** Opinions on a batch: one judgement a row, or none where no corridor has a model. */
export type Judged = {
  readonly judgements: readonly Judgement[];
  readonly shadows: readonly ShadowBatch[];
};

export type JudgeDependencies = {
  readonly healthOf: (corridor: string, model: JudgingModel) => ModelHealth;
  readonly onFailure: (model: JudgingModel, error: unknown) => void;
  /** A model that failed again and again where it decides. */
  readonly onHopeless: (corridor: string, model: JudgingModel, why: string) => void;
  readonly metrics: Pick<Metrics, 'modelDuration' | 'modelErrors' | 'modelScored'>;
  /** Monotonic clock. */
  readonly nowMs: () => number;
};

export function judgeBatch(
  dependencies: JudgeDependencies,
  rows: readonly JudgedRow[],
  inForce: ModelsInForce,
): Judged {
  const judgements = new Array<Judgement>(rows.length).fill(BY_RULES);
  const lineOf = createLines(inForce);
  const places: Place[] = [];
  for (const [index, { transaction, vector }] of rows.entries()) {
    const line = lineOf(transaction);
    if (line.length > 0) places.push({ index, transaction, vector, line });
  }
  let waiting: readonly Place[] = places;
  for (let turn = 0; waiting.length > 0; turn++) {
    waiting = askTurn(dependencies, waiting, turn, judgements);
  }
  return { judgements, shadows: askShadows(dependencies, rows, inForce) };
}

/** Which model is asked first, and which if it does not answer; null never does. */
type Line = readonly (JudgingModel | null)[];
const NO_LINE: Line = [];

/** Lines are the same for all of a corridor, but for those whose account is drawn for the canary. */
function createLines({ corridors, models }: ModelsInForce): (transaction: Transaction) => Line {
  const lines = new Map<string, Line>();
  return ({ corridor, accountId }) => {
    const wanted = corridors.get(corridor);
    if (wanted === undefined) return NO_LINE;
    const ids = lineFor(wanted, accountId);
    const isDrawn = ids.length > wanted.active.length;
    const key = isDrawn ? `${corridor} canary` : corridor;
    let line = lines.get(key);
    if (line === undefined) {
      line = ids.map((modelId) => models.get(modelId) ?? null);
      lines.set(key, line);
    }
    return line;
  };
}

/** Records the judgements of the current models, and returns the rows whose next model is to be asked. */
function askTurn(
  dependencies: JudgeDependencies,
  waiting: readonly Place[],
  turn: number,
  judgements: Judgement[],
): Place[] {
  const left: Place[] = [];
  for (const [model, asked] of groupByModel(waiting, turn)) {
    if (model === undefined) {
      // No model is left: the rules judge alone.
      for (const { index } of asked) judgements[index] = BY_RULES_INSTEAD;
      continue;
    }
    const opinions = model === null ? [] : ask(dependencies, model, asked, 'deciding');
    const name = model?.name ?? null;
    for (let at = 0; at < asked.length; at++) {
      const place = asked[at] as Place;
      const opinion = opinions[at];
      if (opinion === undefined) left.push(place);
      else judgements[place.index] = { opinion, model: name, degradation: turn > 0 ? 1 : 0 };
    }
  }
  return left;
}

function groupByModel(
  waiting: readonly Place[],
  turn: number,
): Iterable<[JudgingModel | null | undefined, readonly Place[]]> {
  const first = waiting[0]?.line[turn];
  // The usual case.
  if (waiting.every(({ line }) => line[turn] === first)) return [[first, waiting]];
  return Map.groupBy(waiting, ({ line }) => line[turn]);
}

type Place = JudgedRow & { readonly index: number; readonly line: Line };

function askShadows(
  dependencies: JudgeDependencies,
  judged: readonly JudgedRow[],
  inForce: ModelsInForce,
): ShadowBatch[] {
  if (![...inForce.corridors.values()].some(({ shadows }) => shadows.length > 0)) return [];
  const asked = judged.flatMap((row) => {
    const shadows = inForce.corridors.get(row.transaction.corridor)?.shadows ?? [];
    return shadows.flatMap((modelId) => {
      const model = inForce.models.get(modelId) ?? null;
      return model === null ? [] : { model, row };
    });
  });
  return [...Map.groupBy(asked, ({ model }) => model)].flatMap(([model, ofModel]) => {
    const rows = ofModel.map(({ row }) => row);
    const opinions = ask(dependencies, model, rows, 'shadow');
    const answered = rows.filter((_, at) => opinions[at] !== undefined);
    if (answered.length === 0) return [];
    return {
      modelId: model.modelId,
      transactionIds: answered.map(({ transaction }) => transaction.transactionId),
      probabilities: opinions.flatMap((opinion) => opinion?.probability ?? []),
    };
  });
}

type Role = 'deciding' | 'shadow';

/** One opinion a row; undefined for those of corridors where the model is suspended or fails. */
function ask(
  dependencies: JudgeDependencies,
  model: JudgingModel,
  rows: readonly JudgedRow[],
  role: Role,
): readonly (Opinion | undefined)[] {
  const corridors = [...new Set(rows.map(corridorOf))];
  const open = corridors.filter((one) => dependencies.healthOf(one, model).mayRun());
  if (open.length === 0) return [];
  const askOpen = open.length === corridors.length ? call : askCorridors;
  const opinions = askOpen(dependencies, model, rows, open, role);
  if (opinions !== undefined || open.length === 1) return opinions ?? [];
  // A call that fails for several corridors at once is repeated for each, so that one does not affect others.
  const answers = new Array<Opinion | undefined>(rows.length);
  for (const one of open) {
    const own = askCorridors(dependencies, model, rows, [one], role) ?? [];
    for (const [at, opinion] of own.entries()) answers[at] ??= opinion;
  }
  return answers;
}

/** One opinion a row of some corridors, undefined for the others; undefined where the model fails. */
function askCorridors(
  dependencies: JudgeDependencies,
  model: JudgingModel,
  rows: readonly JudgedRow[],
  corridors: readonly string[],
  role: Role,
): (Opinion | undefined)[] | undefined {
  const asked = rows.filter((row) => corridors.includes(corridorOf(row)));
  const opinions = call(dependencies, model, asked, corridors, role);
  if (opinions === undefined) return undefined;
  let next = 0;
  return rows.map((row) => (corridors.includes(corridorOf(row)) ? opinions[next++] : undefined));
}

function corridorOf({ transaction }: JudgedRow): string {
  return transaction.corridor;
}

function call(
  { healthOf, onFailure, onHopeless, metrics, nowMs }: JudgeDependencies,
  model: JudgingModel,
  rows: readonly JudgedRow[],
  corridors: readonly string[],
  role: Role,
): Opinion[] | undefined {
  const startedMs = nowMs();
  let opinions: Opinion[] | undefined;
  try {
    opinions = model.judge(rows.map(({ vector }) => vector));
  } catch (error) {
    onFailure(model, error);
  }
  const tookMs = nowMs() - startedMs;
  metrics.modelDuration.observe({ model: model.name }, tookMs / 1000);
  const isFailed = opinions === undefined;
  const judged = new Map<string, number>();
  for (const { transaction } of rows) {
    judged.set(transaction.corridor, (judged.get(transaction.corridor) ?? 0) + 1);
  }
  if (isFailed && corridors.length > 1) return undefined;
  for (const corridor of corridors) {
    if (isFailed) metrics.modelErrors.inc({ corridor, model: model.name });
    const why = healthOf(corridor, model).note({ tookMs, isFailed });
    if (why !== undefined && role === 'deciding') onHopeless(corridor, model, why);
    const labels = { corridor, model: model.name, role };
    if (!isFailed) metrics.modelScored.inc(labels, judged.get(corridor) ?? 0);
  }
  return opinions;
}
