/**
 * The models in force by Postgres: 1.5 s old at most, so that a rollback holds in every worker within two seconds. A model is
 * loaded when first needed, and scores only once its checks have passed in this process and are on record.
 */
import type { JudgingModel } from '../../../core/score/judge.ts';
import { type InForce, idsIn, subjectsInForce } from '../../../core/score/rollout/in-force.ts';
import { MODELS } from '../../../core/store/rollouts/rollouts.ts';
import { readSettledRollouts } from '../../../core/store/rollouts/settled-rollouts.ts';
import type { Changes } from '../../../kit/database/follow-changes.ts';
import type { Database } from '../../../kit/database/pool.ts';
import type { Log } from '../../../kit/metrics/log.ts';
import type { Metrics } from '../../../kit/metrics/metrics.ts';
import { isUnavailable, toError } from '../../../kit/words/failure.ts';
import type { ModelOut } from '../../../kit/words/model-out.ts';
import { insertModelCheck } from '../store/models.ts';
import type { ModelsInForce } from './judge-batch.ts';

/** Loads and checks a model. Throws the model's problem, or a Failure `unavailable`. */
export type LoadModel = (database: Database, modelId: string) => Promise<JudgingModel>;

type WatchedModels = {
  /** Name of the process in its log. */
  readonly name: string;
  readonly database: Database;
  readonly changes: Pick<Changes, 'follow'>;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'modelChecksFailed'>;
  readonly load: LoadModel;
  readonly onChange: (inForce: ModelsInForce) => void;
};

/** The watch of the models in force, whose `refresh` and `current` throw a Failure `unavailable`. */
export function watchModelsInForce(watched: WatchedModels) {
  const { name, database, changes, onChange } = watched;
  let inForce: ModelsInForce = { corridors: new Map(), models: new Map() };
  const { refresh, untilFresh } = changes.follow({
    name: 'models',
    mark: MODELS.mark,
    async load() {
      const corridors = subjectsInForce(await readSettledRollouts(MODELS, database, name));
      inForce = { corridors, models: await loadAll(watched, corridors, inForce.models) };
      onChange(inForce);
    },
  });
  return {
    refresh,
    async current(): Promise<ModelsInForce> {
      await untilFresh();
      return inForce;
    },
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
