/**
 * The models in force by Postgres: one small statement every REFRESH_EVERY_MS, all rows when a rollout was added,
 * and valid for at most STALE_MS, so that a rollback holds in every worker within two seconds, even in one that
 * was frozen. A model is loaded when first needed, and may score only once its checks have passed in this
 * process and are on record.
 */
import type { Log } from '../../kit/metrics/log.ts';
import { isUnavailable, toError } from '../../kit/words/failure.ts';
import type { ModelOut } from '../../kit/words/model-out.ts';
import type { Rollout } from '../domain/model-rollout.ts';
import { type InForce, idsIn, modelsInForce } from '../score/rollout/in-force.ts';
import type { JudgingModel, ModelsInForce } from './judge-batch.ts';

export const REFRESH_EVERY_MS = 500;
const STALE_MS = 1500;

type ModelSource = {
  /** Refreshes the models in force. Throws a Failure. */
  readonly refresh: () => Promise<void>;
  /** The models in force, at most STALE_MS old. Throws a Failure. */
  readonly current: () => Promise<ModelsInForce>;
  /** Models that should be in force and did not pass, by id: they have no name. */
  readonly refused: () => readonly ModelOut[];
};

export type ModelSourceDependencies = {
  /** Id of the newest rollout; null for none. */
  readonly readNewestRollout: () => Promise<string | null>;
  readonly readRollouts: () => Promise<readonly Rollout[]>;
  /** Loads and checks a model. Throws the model's problem, or a Failure `unavailable`. */
  readonly load: (modelId: string) => Promise<JudgingModel>;
  /** @param detail null: passed */
  readonly recordCheck: (modelId: string, detail: string | null) => Promise<void>;
  readonly onChange: (inForce: ModelsInForce) => void;
  readonly log: Log;
  /** Monotonic clock. */
  readonly nowMs: () => number;
};

export function createModelSource(dependencies: ModelSourceDependencies): ModelSource {
  const { readNewestRollout, readRollouts, onChange, nowMs } = dependencies;
  let inForce: ModelsInForce = { corridors: new Map(), models: new Map() };
  let newest: string | null = null;
  let refreshedMs = Number.NEGATIVE_INFINITY;
  let refreshing: Promise<void> | undefined;

  const refresh = async () => {
    const askedMs = nowMs();
    const found = await readNewestRollout();
    if (found !== newest) {
      const corridors = modelsInForce(await readRollouts());
      inForce = { corridors, models: await loadAll(dependencies, corridors, inForce.models) };
      newest = found;
      onChange(inForce);
    }
    refreshedMs = askedMs;
  };
  const refreshOnce = () => {
    refreshing ??= refresh().finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  };
  return {
    refresh: refreshOnce,
    async current() {
      const isOld = () => nowMs() - refreshedMs > STALE_MS;
      if (isOld()) await refreshOnce();
      // That check may have been under way, and asked before this process was frozen.
      if (isOld()) await refreshOnce();
      return inForce;
    },
    refused: () => refusedOf(inForce),
  };
}

/** Loaded models stay; a refused one is not tried again before it is rolled out anew. */
async function loadAll(
  { load, recordCheck, log }: ModelSourceDependencies,
  wanted: ReadonlyMap<string, InForce>,
  before: ReadonlyMap<string, JudgingModel | null>,
): Promise<Map<string, JudgingModel | null>> {
  const loaded = new Map<string, JudgingModel | null>();
  for (const modelId of new Set([...wanted.values()].flatMap(idsIn))) {
    const kept = before.get(modelId);
    if (kept !== undefined) {
      loaded.set(modelId, kept);
      continue;
    }
    try {
      const model = await load(modelId);
      await recordCheck(modelId, null);
      loaded.set(modelId, model);
      log.info({ model: model.name, modelId }, 'model passed its checks');
    } catch (error) {
      if (isUnavailable(error)) throw error;
      const { message } = toError(error);
      log.error({ modelId, err: message }, 'model refused: it does not score');
      await recordCheck(modelId, message);
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
