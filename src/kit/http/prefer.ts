/** RFC 7240 `Prefer`: the preferences this API knows. It ignores what it cannot read, as the RFC requires. */
import { z } from 'zod';

export type Preferences = {
  /** 0 when the caller does not wait. */
  readonly waitMs: number;
  readonly isMinimal: boolean;
  /** Items of a batch that cannot be taken now are refused alone. */
  readonly isLenient: boolean;
};

const PREFERENCES = ['wait', 'return', 'handling'] as const;
export type Preference = (typeof PREFERENCES)[number];

const WAIT = /^wait\s*=\s*"?(\d+(?:\.\d+)?)"?$/i;
const MINIMAL = /^return\s*=\s*"?minimal"?$/i;
const LENIENT = /^handling\s*=\s*"?lenient"?$/i;

export function readPreferences(header: string | undefined, waitMsMax: number): Preferences {
  let waitMs = 0;
  let isMinimal = false;
  let isLenient = false;
  for (const preference of (header ?? '').split(',')) {
    const [name = ''] = preference.split(';');
    const wait = WAIT.exec(name.trim())?.[1];
    if (wait !== undefined) waitMs ||= Math.min(Math.round(Number(wait) * 1000), waitMsMax);
    isMinimal ||= MINIMAL.test(name.trim());
    isLenient ||= LENIENT.test(name.trim());
  }
  return { waitMs, isMinimal, isLenient };
}

/** `Preference-Applied` of a wait: in seconds, after the cut to the maximum. */
export function waitApplied(waitMs: number): string {
  return `wait=${waitMs / 1000}`;
}

export const MINIMAL_APPLIED = 'return=minimal';
export const LENIENT_APPLIED = 'handling=lenient';

/** Member of an answer whose operation does not apply preferences that other operations do. */
export const notAppliedField = z.array(z.enum(PREFERENCES)).optional().meta({
  description:
    'Preferences of the request that this operation does not apply: nothing was waited for, or everything was returned. Absent where there is none. RFC 7240 leaves it open what a missing `Preference-Applied` means, and many clients read no headers.',
});

/** The preferences asked for that are not applied, as the member of the answer. */
export function notApplied(
  { waitMs, isMinimal, isLenient }: Preferences,
  applied: readonly Preference[],
): { preferences_not_applied?: Preference[] } {
  const asked = { wait: waitMs > 0, return: isMinimal, handling: isLenient };
  const left = PREFERENCES.filter((name) => asked[name] && !applied.includes(name));
  return left.length === 0 ? {} : { preferences_not_applied: left };
}

/** The header, for the document. */
export const preferParameter = z
  .string()
  .optional()
  .meta({
    examples: ['wait=2'],
    description:
      '`wait=SECONDS` on one: the answer comes with the score, or after so many seconds at the latest (RISK_WAIT_MS_MAX). `return=minimal` on lines: only refused lines are answered. `handling=lenient` on a batch: transactions of stopped scopes and over limits are refused alone.',
  });
