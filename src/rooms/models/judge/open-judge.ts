/**
 * The seam `judge` in a worker: which models are in force, their health in each corridor, and the consequences. A batch gets
 * judgements; everything else happens in the duty that every worker runs twice a second.
 */

import type { Limiter } from '../../../core/accept/limits/limiter.ts';
import { offOf } from '../../../core/domain/flag.ts';
import { LIMITED_MARKET } from '../../../core/domain/limit.ts';
import { corridorScope, MODEL, namesStopped } from '../../../core/domain/switch.ts';
import type { Worker } from '../../../core/room.ts';
import type { Judge, JudgingModel } from '../../../core/score/judge.ts';
import { type InForce, idsIn } from '../../../core/score/rollout/in-force.ts';
import { MODELS } from '../../../core/store/rollouts/rollouts.ts';
import { takeBack } from '../../../core/store/rollouts/settled-rollouts.ts';
import { announceModelsOut } from '../../../core/stream/status/models-out.ts';
import type { Duty } from '../../../kit/duties/run-duties.ts';
import type { Metrics } from '../../../kit/metrics/metrics.ts';
import { toError } from '../../../kit/words/failure.ts';
import { loadModel } from '../registry/scoring-model.ts';
import { insertShadowBatch } from '../store/shadow-batches.ts';
import {
  type Asking,
  judgeBatch,
  type ModelsInForce,
  planBatch,
  type Questions,
  type Standing,
  withoutModels,
} from './judge-batch.ts';
import { createModelHealth } from './model-health.ts';
import { type LoadModel, watchModelsInForce } from './models-in-force.ts';

const TEND_EVERY_MS = 500;

/** A model in force in a corridor. */
type Pair = Standing & { readonly corridor: string; readonly model: JudgingModel };

export function openJudge(
  worker: Worker,
  load: LoadModel = loadModel,
  nowMs: () => number = () => performance.now(),
): Judge & { readonly duty: Duty } {
  const { config, log, name, database, changes, redis, guards, limiter, metrics, switches } =
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
      const now = switches.current();
      const asked = withoutModels(inForce, namesStopped(now, MODEL));
      const isShadowing = offOf(now, 'shadows') === undefined;
      const plan = planBatch(rows, isShadowing ? asked : withoutShadows(asked));
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

function withoutShadows({ corridors, models }: ModelsInForce): ModelsInForce {
  const deciding = [...corridors].map(([corridor, one]): [string, InForce] => [
    corridor,
    { ...one, shadows: [] },
  ]);
  return { models, corridors: new Map(deciding) };
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
 * that failed takes no further unit.
 */
export async function limitQuestions(
  { takeSome }: Pick<Limiter, 'takeSome'>,
  { inferenceRefused }: Pick<Metrics, 'inferenceRefused'>,
  plan: readonly Questions[],
): Promise<Questions[]> {
  const limited: Questions[] = [];
  for (const one of plan) {
    const { corridor, role, line, indexes } = one;
    const isAsked = line.some((model) => model !== null);
    const scopes = [corridorScope(corridor), LIMITED_MARKET];
    const asked = isAsked ? await takeSome('inference', scopes, indexes.length) : indexes.length;
    if (asked < indexes.length) inferenceRefused.inc({ corridor, role }, indexes.length - asked);
    limited.push({ ...one, asked });
  }
  return limited;
}
