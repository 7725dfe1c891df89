/**
 * Lets the models in force judge a batch: per row the canary if its account is drawn, else the active
 * model; beside them the shadows, whose opinions decide nothing. One call a model for all of its rows.
 * Who fails or is suspended is passed over: the next in line judges, at the end the rules alone.
 */
import type { Transaction } from '../domain/transaction.ts';
import type { ScoringModel } from '../models/registry/scoring-model.ts';
import { type InForce, lineFor } from '../models/rollout/in-force.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { Opinion } from '../scoring/opinion.ts';
import type { ShadowBatch } from '../store/shadow-batches.ts';
import type { ModelHealth } from './model-health.ts';

/** What of a model judging needs. */
export type JudgingModel = Pick<ScoringModel, 'modelId' | 'name' | 'judge'>;

export type ModelsInForce = {
  readonly corridors: ReadonlyMap<string, InForce>;
  /** By id; null did not pass its checks in this process. */
  readonly models: ReadonlyMap<string, JudgingModel | null>;
};

export type JudgedRow = { readonly transaction: Transaction; readonly vector: Float64Array };

export type Judgement = {
  /** Null: the rules decide alone. */
  readonly opinion: Opinion | null;
  readonly model: string | null;
  /** 1 where it is not the model that should have judged. */
  readonly degradation: 0 | 1;
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
): { judgements: Judgement[]; shadows: ShadowBatch[] } {
  const judgements = rows.map((): Judgement => ({ opinion: null, model: null, degradation: 0 }));
  const places = rows.map(({ transaction, vector }, index): Place => {
    const wanted = inForce.corridors.get(transaction.corridor);
    const ids = wanted === undefined ? [] : lineFor(wanted, transaction.accountId);
    const line = ids.map((modelId) => inForce.models.get(modelId) ?? null);
    return { index, transaction, vector, line };
  });
  let waiting = places.filter((place) => place.line.length > 0);
  for (let turn = 0; waiting.length > 0; turn++) {
    const judged = new Map(askTurn(dependencies, waiting, turn));
    for (const [place, judgement] of judged) judgements[place.index] = judgement;
    waiting = waiting.filter((place) => !judged.has(place));
  }
  return { judgements, shadows: askShadows(dependencies, places, inForce) };
}

/** Who is judged by those whose turn it is; where nobody is left, the rules alone. */
function askTurn(
  dependencies: JudgeDependencies,
  waiting: readonly Place[],
  turn: number,
): [Place, Judgement][] {
  return [...Map.groupBy(waiting, ({ line }) => line[turn])].flatMap(([model, asked]) => {
    if (model === undefined) {
      return asked.map((place): [Place, Judgement] => [
        place,
        { opinion: null, model: null, degradation: 1 },
      ]);
    }
    if (model === null) return [];
    const opinions = ask(dependencies, model, asked, 'deciding');
    const degradation = turn > 0 ? 1 : 0;
    return asked.flatMap((place, at): [Place, Judgement][] => {
      const opinion = opinions[at];
      return opinion === undefined ? [] : [[place, { opinion, model: model.name, degradation }]];
    });
  });
}

type Place = JudgedRow & {
  readonly index: number;
  /** Who is asked first, and who if that one does not answer; null never does. */
  readonly line: readonly (JudgingModel | null)[];
};

function askShadows(
  dependencies: JudgeDependencies,
  places: readonly Place[],
  inForce: ModelsInForce,
): ShadowBatch[] {
  const asked = places.flatMap((place) => {
    const shadows = inForce.corridors.get(place.transaction.corridor)?.shadows ?? [];
    return shadows.flatMap((modelId) => {
      const model = inForce.models.get(modelId) ?? null;
      return model === null ? [] : { model, place };
    });
  });
  return [...Map.groupBy(asked, ({ model }) => model)].flatMap(([model, ofModel]) => {
    const rows = ofModel.map(({ place }) => place);
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
): (Opinion | undefined)[] {
  const corridorOf = ({ transaction }: JudgedRow) => transaction.corridor;
  const corridors = [...new Set(rows.map(corridorOf))];
  const open = corridors.filter((one) => dependencies.healthOf(one, model).mayRun());
  const answers = new Map<JudgedRow, Opinion>();
  const run = (of: readonly string[]) => {
    const asked = rows.filter((row) => of.includes(corridorOf(row)));
    const opinions = call(dependencies, model, asked, of, role);
    if (opinions === undefined) return false;
    for (const [at, row] of asked.entries()) {
      const opinion = opinions[at];
      if (opinion !== undefined) answers.set(row, opinion);
    }
    return true;
  };
  // What fails for several corridors at once is asked again for each, so that one does not pull down others.
  if (open.length > 0 && !run(open) && open.length > 1) for (const one of open) run([one]);
  return rows.map((row) => answers.get(row));
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
  if (isFailed && corridors.length > 1) return undefined;
  for (const corridor of corridors) {
    if (isFailed) metrics.modelErrors.inc({ corridor, model: model.name });
    const why = healthOf(corridor, model).note({ tookMs, isFailed });
    if (why !== undefined && role === 'deciding') onHopeless(corridor, model, why);
    const judged = rows.filter(({ transaction }) => transaction.corridor === corridor).length;
    if (!isFailed) metrics.modelScored.inc({ corridor, model: model.name, role }, judged);
  }
  return opinions;
}
