/**
 * Which models are in force, as Postgres has it: asked by one small statement every LOOK_EVERY_MS, read
 * whole when a rollout was added, and never believed for longer than STALE_MS, so that a rollback holds in
 * every worker within two seconds, even in one that was frozen. A model is loaded when something needs
 * it, and may score only once its checks have passed in this process and that is on record.
 */
import { isUnavailable, toError } from '../domain/failure.ts';
import { type InForce, modelsInForce } from '../models/rollout/in-force.ts';
import type { Rollout } from '../models/rollout/rollout.ts';
import type { Log } from '../runtime/log.ts';
import type { CorridorModels, JudgingModel, ModelsInForce } from './judge-batch.ts';

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
  readonly onChange: (inForce: ModelsInForce, refused: readonly RefusedModel[]) => void;
  readonly log: Log;
  /** Monotonic clock. */
  readonly nowMs: () => number;
};

export function createModelSource(dependencies: ModelSourceDependencies): ModelSource {
  const { readNewestRollout, readRollouts, onChange, nowMs } = dependencies;
  /** Null: refused. Only what is in force, or would be. */
  let loaded = new Map<string, JudgingModel | null>();
  let inForce: ModelsInForce = new Map();
  let refused: readonly RefusedModel[] = [];
  let newest: string | null = null;
  let lookedMs = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;

  const look = async () => {
    const askedMs = nowMs();
    const found = await readNewestRollout();
    if (found !== newest) {
      const wanted = modelsInForce(await readRollouts());
      loaded = await loadAll(dependencies, wanted, loaded);
      inForce = new Map([...wanted].map(([corridor, one]) => [corridor, choose(one, loaded)]));
      refused = refusedOf(wanted, loaded);
      newest = found;
      onChange(inForce, refused);
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
      if (nowMs() - lookedMs > STALE_MS) await lookOnce();
      return inForce;
    },
    refused: () => refused,
  };
}

/** What was loaded before stays as it is; one that was refused is not tried again before it is rolled out anew. */
async function loadAll(
  { load, recordCheck, log }: ModelSourceDependencies,
  wanted: ReadonlyMap<string, InForce>,
  before: ReadonlyMap<string, JudgingModel | null>,
): Promise<Map<string, JudgingModel | null>> {
  const loaded = new Map<string, JudgingModel | null>();
  for (const modelId of new Set([...wanted.values()].flatMap(idsOf))) {
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

function idsOf({ active, canary, shadows }: InForce): string[] {
  return [...active, ...(canary === null ? [] : [canary.modelId]), ...shadows];
}

function choose(
  { active, canary, shadows }: InForce,
  loaded: ReadonlyMap<string, JudgingModel | null>,
): CorridorModels {
  const fit = (modelId: string) => loaded.get(modelId) ?? [];
  const drawn = canary === null ? null : (loaded.get(canary.modelId) ?? null);
  return {
    active: active.flatMap(fit)[0] ?? null,
    canary: canary === null || drawn === null ? null : { model: drawn, percent: canary.percent },
    shadows: shadows.flatMap(fit),
    isReduced: active[0] !== undefined && loaded.get(active[0]) === null,
  };
}

function refusedOf(
  wanted: ReadonlyMap<string, InForce>,
  loaded: ReadonlyMap<string, JudgingModel | null>,
): RefusedModel[] {
  return [...wanted].flatMap(([corridor, { active, canary, shadows }]) => {
    const meant = [...active.slice(0, 1), ...(canary === null ? [] : [canary.modelId]), ...shadows];
    return meant
      .filter((modelId) => loaded.get(modelId) === null)
      .map((modelId) => ({ corridor, modelId }));
  });
}
