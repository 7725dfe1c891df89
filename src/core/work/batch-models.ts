/**
 * The models of a worker: which are in force, their health in each corridor, and the consequences. A batch sees
 * judgements; everything else happens in the check that every worker makes twice a second.
 */
import type { Duty } from '../../kit/duties/run-duties.ts';
import type { Metrics } from '../../kit/metrics/metrics.ts';
import { toError } from '../../kit/words/failure.ts';
import type { ModelOut } from '../../kit/words/model-out.ts';
import { idsIn } from '../score/rollout/in-force.ts';
import type { ShadowBatch } from '../store/scores/shadow-batches.ts';
import {
  type JudgeDependencies,
  type JudgingModel,
  judgeBatch,
  type ModelsInForce,
} from './judge-batch.ts';
import { createModelHealth, type ModelHealth } from './model-health.ts';
import {
  createModelSource,
  type ModelSourceDependencies,
  REFRESH_EVERY_MS,
} from './model-source.ts';
import type { BatchModels } from './score-items.ts';

type BatchModelsDependencies = Omit<ModelSourceDependencies, 'onChange'> & {
  /** Rolls a model back in a corridor, if it still decides there. */
  readonly rollBack: (corridor: string, modelId: string, reason: string) => Promise<boolean>;
  readonly storeShadow: (shadow: ShadowBatch, scoredAtMs: number) => Promise<void>;
  /** Called at every check. */
  readonly report: (out: readonly ModelOut[]) => Promise<void>;
  readonly metrics: Pick<
    Metrics,
    | ('modelDuration' | 'modelErrors' | 'modelScored' | 'modelInForce')
    | ('modelRollbacks' | 'shadowBatchesLost')
  >;
};

export function createBatchModels(
  dependencies: BatchModelsDependencies,
): BatchModels & { readonly duty: Duty } {
  const { nowMs, metrics, log, storeShadow } = dependencies;
  /** Health of models in force, by corridor and model; reset when a rollout changes the pair. */
  let health = new Map<string, Watched>();
  /** Models to be rolled back; kept until that is done. */
  const hopeless = new Map<string, Omit<Watched, 'health'> & { readonly why: string }>();
  const healthOf: JudgeDependencies['healthOf'] = (corridor, model) => {
    const key = `${corridor} ${model.modelId}`;
    let watched = health.get(key);
    if (watched === undefined) {
      watched = { corridor, model, health: createModelHealth(nowMs) };
      health.set(key, watched);
    }
    return watched.health;
  };
  const source = createModelSource({
    ...dependencies,
    onChange(inForce) {
      health = new Map([...health].filter(([, one]) => isInForce(inForce, one)));
      reportInForce(metrics, inForce);
    },
  });
  const judging: JudgeDependencies = {
    ...{ healthOf, metrics, nowMs },
    onFailure: (model, error) =>
      log.warn({ model: model.name, err: toError(error).message }, 'model failed'),
    onHopeless(corridor, model, why) {
      const key = `${corridor} ${model.modelId}`;
      hopeless.set(key, { corridor, model, why });
    },
  };
  const takeBack = async () => {
    for (const [key, { corridor, model, why }] of hopeless) {
      const isDone = await dependencies.rollBack(corridor, model.modelId, why);
      hopeless.delete(key);
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
      return judgeBatch(judging, rows, inForce);
    },
    async storeShadows(shadows, scoredAtMs) {
      for (const shadow of shadows) {
        await storeShadow(shadow, scoredAtMs).catch((error: unknown) => {
          metrics.shadowBatchesLost.inc();
          log.warn({ modelId: shadow.modelId, err: toError(error).message }, 'shadow batch lost');
        });
      }
    },
    duty: {
      name: 'models',
      everyMs: REFRESH_EVERY_MS,
      async run() {
        await source.refresh();
        // Runs first, as Redis may refuse the report.
        await takeBack();
        const suspended = [...health.values()].filter((one) => one.health.isSuspended());
        await dependencies.report([
          ...suspended.map(({ corridor, model }) => ({ corridor, model: model.name })),
          ...source.refused(),
        ]);
      },
    },
  };
}

type Watched = {
  readonly corridor: string;
  readonly model: JudgingModel;
  readonly health: ModelHealth;
};

function isInForce(inForce: ModelsInForce, { corridor, model }: Watched): boolean {
  const wanted = inForce.corridors.get(corridor);
  return wanted !== undefined && idsIn(wanted).includes(model.modelId);
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
    setRole('canary', canary === null ? [] : [passed(canary.modelId)].flat());
    setRole('shadow', shadows.flatMap(passed));
  }
}
