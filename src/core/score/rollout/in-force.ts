/** Derives the models or rule sets in force from their log of rollouts. Pure. */
import { hash } from 'node:crypto';
import type { Rollout } from './holding.ts';
import { activeIn, holdingsIn } from './plan-rollout.ts';

/** Subjects of one corridor: models by id, or rule sets by name. */
export type InForce = {
  /** The active one, and the one before it, which decides where the active one cannot. */
  readonly active: readonly string[];
  readonly canary: { readonly subject: string; readonly percent: number } | null;
  /** The shadows of people, newest first, and then the engine's own. */
  readonly shadows: readonly string[];
};

/** Shadows of a corridor that are computed; older ones are skipped. */
export const SHADOWS_MAX = 4;
const ACTIVE_KEPT = 2;
/** Parts that accounts are divided into; a canary of 1 % is a hundred of them. */
export const BUCKETS = 10_000;

/** 0 to BUCKETS - 1. The hash includes the subject, so that canaries do not all take the same accounts. */
export function bucketOf(accountId: string, subject: string): number {
  return hash('sha256', `${subject}\n${accountId}`, 'buffer').readUInt32BE() % BUCKETS;
}

/** Whether the canary judges the account: always the same accounts, and none leaves when the canary grows. */
export function isDrawn({ canary }: Pick<InForce, 'canary'>, accountId: string): boolean {
  if (canary === null) return false;
  return bucketOf(accountId, canary.subject) < (canary.percent * BUCKETS) / 100;
}

/** The subjects that should decide, the next one in case the first cannot. */
export function lineOf({ active, canary }: InForce, drawn: boolean): readonly string[] {
  return drawn && canary !== null ? [canary.subject, ...active] : active;
}

/** All subjects that decide in the corridor or may have to. */
export function idsIn({ active, canary, shadows }: InForce): string[] {
  return [...active, ...(canary === null ? [] : [canary.subject]), ...shadows];
}

/** By corridor; a corridor without any subject is absent. */
export function subjectsInForce(log: readonly Rollout[]): Map<string, InForce> {
  const inForce = new Map<string, InForce>();
  for (const corridor of new Set(log.map((row) => row.corridor))) {
    const holdings = [...holdingsIn(log, corridor)];
    const canary = holdings.find(([, { state }]) => state === 'canary');
    const isOwn = ([, { cause }]: (typeof holdings)[number]) => Number(cause === 'engine');
    const shadows = holdings.filter(([, { state }]) => state === 'shadow').reverse();
    const active = [...new Set(activeIn(log, corridor).reverse())].slice(0, ACTIVE_KEPT);
    if (active.length + shadows.length === 0 && canary === undefined) continue;
    inForce.set(corridor, {
      active,
      canary: canary ? { subject: canary[0], percent: canary[1].canary_percent } : null,
      shadows: shadows
        .sort((left, right) => isOwn(left) - isOwn(right))
        .map(([id]) => id)
        .slice(0, SHADOWS_MAX),
    });
  }
  return inForce;
}
