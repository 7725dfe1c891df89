/** Freezes a corridor or the market, and lets it go on: new transactions are refused, and accepted ones are scored. */
import { z } from 'zod';
import {
  freezeOf,
  STRICTER,
  type Stop,
  type Switches,
  stopSchema,
  stricterScope,
  withEnvironment,
} from '../../core/domain/switch.ts';
import { countOnHold, countOpen } from '../../core/store/open-rows/open-rows.ts';
import { changeSwitches, readSwitches } from '../../core/store/switches/switches.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Database } from '../../kit/database/pool.ts';
import { Failure } from '../../kit/words/failure.ts';
import { plainText } from '../../kit/words/plain-text.ts';
import type { Decider } from '../../kit/words/principal.ts';
import { requireAuthority, requireOther } from './authority.ts';
import { REASON_CHARS_MAX, reasonField, stopJsonOf } from './switch-change.ts';

export const freezeCommandSchema = z
  .strictObject({
    reason: reasonField,
    message: plainText(REASON_CHARS_MAX)
      .optional()
      .meta({ description: 'What refused clients read.' }),
  })
  .meta({ id: 'FreezeCommand' });
type FreezeCommand = z.output<typeof freezeCommandSchema>;

export const resumeCommandSchema = z
  .strictObject({ reason: reasonField })
  .meta({ id: 'ResumeCommand' });

/** Scope of a corridor or a market in the row of switches. */
export type Frozen = {
  /** `corridor:US-EG` or `market`. */
  readonly scope: string;
  /** Null: of all corridors. */
  readonly corridor: string | null;
};

/** Facts that clients may know. */
export const scopeStateSchema = z
  .object({
    scope: z.string(),
    state: z.enum(['open', 'frozen', 'stopped']),
    message: z.string().nullable().meta({ description: 'What refused clients read.' }),
  })
  .meta({ id: 'ScopeState' });

export const standingSchema = z
  .object({
    ...scopeStateSchema.shape,
    stop: stopSchema.nullable(),
    freeze: stopSchema.nullable(),
    pending: z.int().meta({ description: 'Accepted and not final, those on hold included.' }),
    on_hold: z.int().meta({ description: 'Pending, and not scored before a stop has ended.' }),
    is_drained: z.boolean().meta({ description: 'Frozen, and nothing is pending.' }),
    stricter: z
      .array(stopSchema)
      .meta({ description: 'Tightened or manual verdicts of the corridor that are in force.' }),
    releases_held: z
      .boolean()
      .meta({ description: 'Whether value must not be released for what was accepted.' }),
  })
  .meta({ id: 'Standing' });

type Stops = {
  readonly database: Database;
  /** Stops of the API process' environment. */
  readonly ofEnvironment: ReadonlyMap<string, Stop>;
};

async function readStops({ database, ofEnvironment }: Stops): Promise<Switches> {
  return withEnvironment(await readSwitches(database), ofEnvironment);
}

export async function readScopeState(stops: Stops, frozen: Frozen) {
  const { scope, state, message } = toStanding(frozen, await readStops(stops), 0, new Map());
  return { scope, state, message };
}

export async function readStanding(stops: Stops, frozen: Frozen) {
  const { database } = stops;
  const [switches, pending, onHold] = await Promise.all([
    readStops(stops),
    countOpen(database.query, frozen.corridor),
    countOnHold(database.query),
  ]);
  return toStanding(frozen, switches, pending, onHold);
}

function toStanding(
  { scope, corridor }: Frozen,
  switches: Switches,
  pending: number,
  onHold: ReadonlyMap<string, number>,
): z.input<typeof standingSchema> {
  const stoppedBy = stopsOf(scope).find((count) => switches.stopped.has(count));
  const freeze = freezeOf(switches, corridor);
  const standing = freeze === undefined ? 'open' : 'frozen';
  return {
    scope,
    state: stoppedBy === undefined ? standing : 'stopped',
    message: switches.stopped.get(stoppedBy ?? freeze ?? '')?.message ?? null,
    stop: stopJsonOf(switches, stoppedBy),
    freeze: stopJsonOf(switches, freeze),
    pending,
    on_hold: sumOf(onHold, corridor),
    is_drained: freeze !== undefined && pending === 0,
    stricter: STRICTER.flatMap((kind) =>
      corridor === null ? [] : (stopJsonOf(switches, stricterScope(kind, corridor)) ?? []),
    ),
    releases_held: freeze !== undefined,
  };
}

const stopsOf = (scope: string) => ['all', 'market', ...(scope === 'market' ? [] : [scope])];

function sumOf(onHold: ReadonlyMap<string, number>, corridor: string | null): number {
  if (corridor !== null) return onHold.get(corridor) ?? 0;
  return [...onHold.values()].reduce((sum, count) => sum + count, 0);
}

/** @throws Failure where a switch keeps the scope from being scored, as it could not be drained */
export async function freeze(
  database: Database,
  { scope }: Frozen,
  { reason, message, ends_at }: FreezeCommand & { readonly ends_at?: string },
  by: Decider,
): Promise<void> {
  requireAuthority('freeze', by);
  await changeSwitches(database, false, async (query, before, change) => {
    const name = `freeze:${scope}`;
    const stoppedBy = stopsOf(scope).find((count) => before.stopped.has(count));
    if (stoppedBy !== undefined) {
      const why = `the switch ${stoppedBy} stops scoring, so nothing would drain: start it again first`;
      throw new Failure('conflict', 'SCOPE_STOPPED', why);
    }
    const known = before.stopped.get(name);
    if (known !== undefined) return;
    const stop: Omit<Stop, 'stopped_at'> = {
      reason,
      message: message ?? null,
      stopped_by: by.name,
      ends_at: ends_at ?? null,
    };
    const after = await change.stop(name, stop);
    await recordChange(query, by, {
      action: 'scope.freeze',
      subject: scope,
      before: null,
      after: after.stopped.get(name) ?? null,
    });
  });
}

/** Ends a freeze. @throws Failure for the person who froze the scope */
export async function resume(
  database: Database,
  { scope }: Frozen,
  reason: string,
  by: Decider,
): Promise<void> {
  requireAuthority('resume', by);
  await changeSwitches(database, false, async (query, before, change) => {
    const name = `freeze:${scope}`;
    const known = before.stopped.get(name);
    if (known === undefined) return;
    requireOther('resume', by, { scope, by: known.stopped_by });
    await change.start(name);
    await recordChange(query, by, {
      action: 'scope.resume',
      subject: scope,
      before: known,
      after: { reason },
    });
  });
}
