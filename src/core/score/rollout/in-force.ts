/** Derives the models in force from the log of rollouts. Pure. */
import type { Rollout } from '../../domain/model-rollout.ts';
import { isInCanary } from './bucket.ts';
import { activeIn, holdingsIn } from './rollout.ts';

/** Models of one corridor, by id. */
export type InForce = {
  /** The active one, and the one before it, which decides where the active one cannot. */
  readonly active: readonly string[];
  readonly canary: { readonly modelId: string; readonly percent: number } | null;
  /** Newest first. */
  readonly shadows: readonly string[];
};

/** Most shadows of a corridor that are computed; older ones are skipped. */
export const SHADOWS_MAX = 4;
const ACTIVE_KEPT = 2;

/** The models that should judge an account's transactions, the next one in case the first cannot. */
export function lineFor({ active, canary }: InForce, accountId: string): readonly string[] {
  const isDrawn = canary !== null && isInCanary(accountId, canary.modelId, canary.percent);
  return isDrawn ? [canary.modelId, ...active] : active;
}

/** All models that judge in the corridor or may have to. */
export function idsIn({ active, canary, shadows }: InForce): string[] {
  return [...active, ...(canary === null ? [] : [canary.modelId]), ...shadows];
}

/** By corridor; a corridor without any model is absent. */
export function modelsInForce(log: readonly Rollout[]): Map<string, InForce> {
  const inForce = new Map<string, InForce>();
  for (const corridor of new Set(log.map((row) => row.corridor))) {
    const holdings = [...holdingsIn(log, corridor)];
    const canary = holdings.find(([, { state }]) => state === 'canary');
    const shadows = holdings.filter(([, { state }]) => state === 'shadow').map(([id]) => id);
    const active = [...new Set(activeIn(log, corridor).reverse())].slice(0, ACTIVE_KEPT);
    if (active.length + shadows.length === 0 && canary === undefined) continue;
    inForce.set(corridor, {
      active,
      canary:
        canary === undefined ? null : { modelId: canary[0], percent: canary[1].canaryPercent },
      shadows: shadows.reverse().slice(0, SHADOWS_MAX),
    });
  }
  return inForce;
}
