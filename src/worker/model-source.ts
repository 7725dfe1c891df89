/**
 * Which models are in force, as Postgres has it: asked by one small statement every LOOK_EVERY_MS, read
 * whole when a rollout was added, and never believed for longer than STALE_MS, so that a rollback holds in
 * every worker within two seconds, even in one that was frozen. A model is loaded when something needs
 * it, and may score only once its checks have passed in this process and that is on record.
 */
import { isUnavailable, toError } from '../domain/failure.ts';
import type { Rollout } from '../domain/model-rollout.ts';
import { type InForce, idsIn, modelsInForce } from '../models/rollout/in-force.ts';
import type { Log } from '../runtime/log.ts';
import type { JudgingModel, ModelsInForce } from './judge-batch.ts';

export const LOOK_EVERY_MS = 500;
const STALE_MS = 1500;

export type ModelSource = {
  /** Brings what is in force up to date. Throws a Failure. */
  readonly look: () => Promise<void>;
  /** What is in force, at most STALE_MS old. Throws a Failure. */
  readonly current: () => Promise<ModelsInForce>;
  /** Models that should be in force and did not pass, by name of the corridor. */
  readonly refused: () => readonly RefusedModel[];
};
export type RefusedModel = { readonly corridor: string; readonly modelId: string };

export type ModelSourceDependencies = {
  /** Id of the newest rollout; null for none. */
  readonly readNewestRollout: () => Promise<string | null>;
  readonly readRollouts: () => Promise<readonly Rollout[]>;
  /** Reads and checks. Throws what is wrong with the model, or a Failure `unavailable`. */
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
  let lookedMs = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;

  const look = async () => {
    const askedMs = nowMs();
    const found = await readNewestRollout();
    if (found !== newest) {
      const corridors = modelsInForce(await readRollouts());
      inForce = { corridors, models: await loadAll(dependencies, corridors, inForce.models) };
      newest = found;
      onChange(inForce);
    }
    lookedMs = askedMs;
  };
  const lookOnce = () => {
    looking ??= look().finally(() => {
      looking = undefined;
    });
    return looking;
  };
  return {
    look: lookOnce,
    async current() {
      const isOld = () => nowMs() - lookedMs > STALE_MS;
      if (isOld()) await lookOnce();
      // That look may have been under way already, and asked before this process was frozen.
      if (isOld()) await lookOnce();
      return inForce;
    },
    refused: () => refusedOf(inForce),
  };
}

/** What was loaded before stays as it is; one that was refused is not tried again before it is rolled out anew. */
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

/** The model before the active one is no loss while that one passes. */
function refusedOf({ corridors, models }: ModelsInForce): RefusedModel[] {
  return [...corridors].flatMap(([corridor, wanted]) =>
    idsIn({ ...wanted, active: wanted.active.slice(0, 1) })
      .filter((modelId) => models.get(modelId) === null)
      .map((modelId) => ({ corridor, modelId })),
  );
}
