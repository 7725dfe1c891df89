/**
 * The seam `judge` in a worker: which models are in force, their health in each corridor, and the consequences. A batch gets
 * judgements; everything else happens in the duty that every worker runs twice a second.
 */

import type { Limiter } from '../../../core/accept/limits/limiter.ts';
import { corridorScope, MARKET } from '../../../core/domain/corridor.ts';
import type { Worker } from '../../../core/room.ts';
import type { Judge, JudgingModel } from '../../../core/score/judge.ts';
import { type InForce, idsIn, subjectsInForce } from '../../../core/score/rollout/in-force.ts';
import { MODELS, readSettledRollouts, takeBack } from '../../../core/store/rollouts/rollouts.ts';
import { announceModelsOut } from '../../../core/stream/status/models-out.ts';
import type { Changes } from '../../../kit/database/follow-changes.ts';
import type { Database } from '../../../kit/database/pool.ts';
import type { Duty } from '../../../kit/duties/run-duties.ts';
import type { Metrics } from '../../../kit/metrics/metrics.ts';
import { isUnavailable, toError } from '../../../kit/words/failure.ts';
import type { ModelOut } from '../../../kit/words/model-out.ts';
import { loadModel } from '../registry/scoring-model.ts';
import { insertModelCheck } from '../store/models.ts';
import { insertShadowBatch } from '../store/shadow-batches.ts';
import {
  type Asking,
  createModelHealth,
  judgeBatch,
  type ModelsInForce,
  planBatch,
  type Questions,
  type Standing,
} from './judge-batch.ts';

const TEND_EVERY_MS = 500;

/** A model in force in a corridor. */
type Pair = Standing & { readonly corridor: string; readonly model: JudgingModel };

/** Loads and checks a model. Throws the model's problem, or a Failure `unavailable`. */
export type LoadModel = (database: Database, modelId: string) => Promise<JudgingModel>;

type WatchedModels = Pick<Worker, 'name' | 'database' | 'log'> & {
  readonly changes: Pick<Changes, 'follow'>;
  readonly metrics: Pick<Metrics, 'modelChecksFailed'>;
  readonly load: LoadModel;
  readonly onChange: (inForce: ModelsInForce) => void;
};

export function openJudge(
  worker: Worker,
  load: LoadModel = loadModel,
  nowMs: () => number = () => performance.now(),
): Judge & { readonly duty: Duty } {
  const { config, log, name, database, changes, redis, guards, limiter, metrics, controls } =
    worker;
  const { note } = worker.rolloutCounts;
  /** Pairs that were asked, until a rollout changes them. */
  let pairs = new Map<string, Pair>();
  const pairOf = (corridor: string, model: JudgingModel) => {
    const key = `${corridor} ${model.modelId}`;
    const known = pairs.get(key);
    if (known !== undefined) return known;
    const pair: Pair = { corridor, model, health: createModelHealth(nowMs), hopeless: undefined };
    pairs.set(key, pair);
    return pair;
  };
  const source = watchModelsInForce({
    name,
    database,
    changes,
    log,
    metrics,
    load,
    onChange(inForce) {
      pairs = new Map([...pairs].filter(([, pair]) => isInForce(inForce, pair)));
      reportInForce(metrics, inForce);
    },
  });
  const asking: Asking = {
    standingOf: pairOf,
    onFailure: (model, error) =>
      log.warn({ model: model.name, err: toError(error).message }, 'model failed'),
    metrics,
    note,
    nowMs,
  };
  const takeHopelessBack = async () => {
    for (const pair of pairs.values()) {
      const { corridor, model, hopeless: why } = pair;
      if (why === undefined) continue;
      const isDone = await takeBack(MODELS, database, name, {
        corridor,
        subject: model.modelId,
        why,
      });
      pair.hopeless = undefined;
      if (!isDone) continue;
      metrics.modelRollbacks.inc({ corridor, model: model.name });
      log.error({ corridor, model: model.name, why }, 'model rolled back by the engine');
      await source.refresh();
    }
  };
  return {
    async judge(rows) {
      const inForce = await source.current();
      if (inForce.corridors.size === 0) return { judgements: [], shadows: [] };
      const plan = planBatch(rows, inForce, controls.current());
      const isLimited = limiter.limits('inference');
      const questions = isLimited ? await limitQuestions(limiter, metrics, plan) : plan;
      return judgeBatch(asking, rows, questions);
    },
    async storeShadows(shadows, scoredAtMs) {
      for (const shadow of shadows) {
        await insertShadowBatch(database, shadow, scoredAtMs).catch((error: unknown) => {
          metrics.shadowBatchesLost.inc();
          log.warn({ modelId: shadow.modelId, err: toError(error).message }, 'shadow batch lost');
        });
      }
    },
    duty: {
      name: 'models',
      everyMs: TEND_EVERY_MS,
      async run() {
        // Runs first, as Redis may refuse the report.
        await takeHopelessBack();
        const suspended = [...pairs.values()].filter(({ health }) => health.isSuspended());
        const out = [
          ...suspended.map(({ corridor, model }) => ({ corridor, model: model.name })),
          ...source.refused(),
        ];
        // The worker itself and the API read which models are out.
        guards.reportModels(out);
        await announceModelsOut(redis, config.RISK_MARKET, out);
      },
    },
  };
}

function isInForce({ corridors }: ModelsInForce, { corridor, model }: Pair): boolean {
  const inForce = corridors.get(corridor);
  return inForce !== undefined && idsIn(inForce).includes(model.modelId);
}

function reportInForce(
  { modelInForce }: Pick<Metrics, 'modelInForce'>,
  { corridors, models }: ModelsInForce,
): void {
  modelInForce.reset();
  for (const [corridor, { active, canary, shadows }] of corridors) {
    const passed = (modelId: string) => models.get(modelId) ?? [];
    const setRole = (role: string, judging: readonly JudgingModel[]) => {
      for (const { name } of judging) modelInForce.set({ corridor, model: name, role }, 1);
    };
    setRole('active', active.flatMap(passed).slice(0, 1));
    setRole('canary', canary === null ? [] : [passed(canary.subject)].flat());
    setRole('shadow', shadows.flatMap(passed));
  }
}

/**
 * Limits of inference: how many rows of a batch models are asked for. The rules decide the others, so nothing waits.
 * Takes one unit a row, in the order of the plan, so that shadows get what the deciding models leave. A model that stands in for one
 * that failed takes no further unit, and a free model none.
 */
export async function limitQuestions(
  { takeSome }: Pick<Limiter, 'takeSome'>,
  { inferenceRefused }: Pick<Metrics, 'inferenceRefused'>,
  plan: readonly Questions[],
): Promise<Questions[]> {
  const limited: Questions[] = [];
  for (const inForce of plan) {
    const { corridor, role, line, indexes } = inForce;
    const isAsked = line.find((model) => model !== null)?.isFree === false;
    const scopes = [corridorScope(corridor), MARKET];
    const asked = isAsked ? await takeSome('inference', scopes, indexes.length) : indexes.length;
    if (asked < indexes.length) inferenceRefused.inc({ corridor, role }, indexes.length - asked);
    limited.push({ ...inForce, asked });
  }
  return limited;
}

/**
 * The models in force by Postgres: 1.5 s old at most, so that a rollback holds in every worker within two seconds. A model is
 * loaded when first needed, and scores only once its checks have passed in this process and are on record.
 * The watch of the models in force, whose `refresh` and `current` throw a Failure `unavailable`.
 */
export function watchModelsInForce(watched: WatchedModels) {
  const { name, database, changes, onChange } = watched;
  let inForce: ModelsInForce = { corridors: new Map(), models: new Map() };
  const { refresh, fresh } = changes.follow({
    name: 'models',
    mark: MODELS.mark,
    async load() {
      const corridors = subjectsInForce(await readSettledRollouts(MODELS, database, name));
      inForce = { corridors, models: await loadAll(watched, corridors, inForce.models) };
      onChange(inForce);
      return inForce;
    },
  });
  return {
    refresh,
    current: fresh,
    /** Models that should be in force and did not pass, by id: they have no name. */
    refused: () => refusedOf(inForce),
  };
}

/** Loaded models stay; a refused one is not tried again before it is rolled out anew. */
async function loadAll(
  { name, database, log, load, metrics }: WatchedModels,
  wanted: ReadonlyMap<string, InForce>,
  before: ReadonlyMap<string, JudgingModel | null>,
): Promise<Map<string, JudgingModel | null>> {
  const loaded = new Map<string, JudgingModel | null>();
  for (const modelId of new Set([...wanted.values()].flatMap(idsIn))) {
    const known = before.get(modelId);
    if (known !== undefined) {
      loaded.set(modelId, known);
      continue;
    }
    try {
      const model = await load(database, modelId);
      await insertModelCheck(database, modelId, name, null);
      loaded.set(modelId, model);
      log.info({ model: model.name, modelId }, 'model passed its checks');
    } catch (error) {
      if (isUnavailable(error)) throw error;
      const { message } = toError(error);
      log.error({ modelId, err: message }, 'model refused: it does not score');
      await insertModelCheck(database, modelId, name, message);
      metrics.modelChecksFailed.inc();
      loaded.set(modelId, null);
    }
  }
  return loaded;
}

/** The model before the active one is not needed while the active one passes. */
function refusedOf({ corridors, models }: ModelsInForce): ModelOut[] {
  return [...corridors].flatMap(([corridor, wanted]) =>
    idsIn({ ...wanted, active: wanted.active.slice(0, 1) })
      .filter((modelId) => models.get(modelId) === null)
      .map((modelId) => ({ corridor, model: modelId })),
  );
}
