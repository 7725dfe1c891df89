/** RFC 7240 `Prefer`: the preferences this API knows. It ignores what it cannot read, as the RFC requires. */
import type { Context, MiddlewareHandler } from 'hono';
import { z } from 'zod';
import { isPrimaryAway } from '../process/primary-away.ts';
import { addHeaders } from './answers/answer-headers.ts';
import { unavailable } from './answers/problem.ts';
import type { AppEnv } from './app-env.ts';

export type Preferences = {
  /** 0 when the caller does not wait. */
  readonly waitMs: number;
  readonly isMinimal: boolean;
  /** Items of a batch that cannot be taken now are refused alone. */
  readonly isLenient: boolean;
  /** Preferences whose value cannot be read, such as `wait=abc`. */
  readonly unread: readonly Preference[];
};

const PREFERENCES = ['wait', 'return', 'handling'] as const;
export type Preference = (typeof PREFERENCES)[number];

const WAIT = /^wait\s*=\s*"?(\d+(?:\.\d+)?)"?$/i;
const MINIMAL = /^return\s*=\s*"?minimal"?$/i;
const LENIENT = /^handling\s*=\s*"?lenient"?$/i;
/** Preferences for the default behaviour, which is applied without a preference, too. */
const USUAL = /^(?:return\s*=\s*"?representation|handling\s*=\s*"?strict)"?$/i;
const NAME = /^\w+/;

export function readPreferences(header: string | undefined, waitMsMax: number): Preferences {
  let waitMs = 0;
  let isMinimal = false;
  let isLenient = false;
  const unread: Preference[] = [];
  for (const preference of (header ?? '').split(',')) {
    const [text = ''] = preference.trim().split(/\s*;/);
    const wait = WAIT.exec(text)?.[1];
    if (wait !== undefined) waitMs ||= Math.min(Math.round(Number(wait) * 1000), waitMsMax);
    else if (MINIMAL.test(text)) isMinimal = true;
    else if (LENIENT.test(text)) isLenient = true;
    else if (!USUAL.test(text)) unread.push(...namedIn(text));
  }
  return { waitMs, isMinimal, isLenient, unread };
}

function namedIn(text: string): Preference[] {
  const given = NAME.exec(text)?.[0].toLowerCase();
  return PREFERENCES.filter((name) => name === given);
}

/** `Preference-Applied` of a wait: in seconds, after the cut to the maximum. */
export function waitApplied(waitMs: number): string {
  return `wait=${waitMs / 1000}`;
}

const READ_PRIMARY = /(?:^|,)\s*read\s*=\s*"?primary"?\s*(?:[,;]|$)/i;
const PRIMARY_APPLIED = 'read=primary';

/** Whether the caller wants a read that neither a replica of Postgres nor memory answers. */
export const prefersPrimary = (c: Context<AppEnv>): boolean =>
  READ_PRIMARY.test(c.req.header('prefer') ?? '');

/** Says in the answer to a read that the preference was applied; refuses the read where the primary is away. */
export const sayReadPrimary: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (isPrimaryAway() && prefersPrimary(c)) throw unavailable('The primary is away.');
  await next();
  if (c.res.status < 400 && prefersPrimary(c)) {
    addHeaders(c, [['Preference-Applied', PRIMARY_APPLIED]]);
  }
};

/** The header of every read, for the document. */
export const PREFER_READ = {
  name: 'Prefer',
  in: 'header',
  description:
    '`read=primary`: the primary of Postgres answers, and neither a replica nor memory does, so the answer has everything that was stored before; 503 where the primary is away. Without the preference `Age` says how old an answer may be.',
  schema: { type: 'string' },
  example: PRIMARY_APPLIED,
} as const;

export const MINIMAL_APPLIED = 'return=minimal';
export const LENIENT_APPLIED = 'handling=lenient';

/** Member of an answer whose operation does not apply preferences that other operations do. */
export const notAppliedField = z.array(z.enum(PREFERENCES)).optional().meta({
  description:
    'Preferences of the request that this operation does not apply, or whose value it cannot read: nothing was waited for, or everything was returned. Absent where there is none. RFC 7240 leaves it open what a missing `Preference-Applied` means, and many clients read no headers.',
});

/** The preferences asked for that are not applied, as the member of the answer. */
export function notApplied(
  { waitMs, isMinimal, isLenient, unread }: Preferences,
  applied: readonly Preference[],
): { preferences_not_applied?: Preference[] } {
  const asked = { wait: waitMs > 0, return: isMinimal, handling: isLenient };
  const left = PREFERENCES.filter(
    (name) => unread.includes(name) || (asked[name] && !applied.includes(name)),
  );
  return left.length === 0 ? {} : { preferences_not_applied: left };
}

const NOT_APPLIED = 'What is not applied stands in `preferences_not_applied` of the answer.';

/** The header of a single transaction, for the document. */
export const preferOfOne = z
  .string()
  .optional()
  .meta({
    examples: ['wait=2'],
    description: `\`wait=SECONDS\`: the answer comes with the score, or without the score after so many seconds, at most 10 where the operator sets no other longest wait (RISK_WAIT_MS_MAX). ${NOT_APPLIED}`,
  });

/** The header of a batch and of lines, for the document. */
export const preferOfMany = z
  .string()
  .optional()
  .meta({
    examples: ['handling=lenient'],
    description: `\`handling=lenient\` on a batch: transactions of stopped scopes and over limits are refused alone. \`return=minimal\` on lines: only refused lines are answered. ${NOT_APPLIED}`,
  });
