/** Switches: what stops a scope, and how scopes are named. */
import { z } from 'zod';
import type { CorridorSettings } from './corridor-settings.ts';
import type { MetadataFields } from './metadata-field.ts';

const CORRIDOR = /^corridor:[A-Z]{2}-[A-Z]{2}$/;
const CLIENT = /^client:[!-~]{1,64}$/;
const MODEL_NAME = /^model:[!-~]{1,70}$/;

export const SCOPE_CHARS_MAX = 80;

/** `all` and `market` stop every corridor, `corridor:US-EG` one; `client:ID` refuses a client's submissions alone. */
export function isScope(text: string): boolean {
  return text === 'all' || text === 'market' || CORRIDOR.test(text) || CLIENT.test(text);
}

/** In front of the reason code of a rule, or the name of a model, that judges nothing while its scope is stopped. */
export const RULE = 'rule:';
export const MODEL = 'model:';

export const isModel = (scope: string) => MODEL_NAME.test(scope);

/** Names of the rules or models that are stopped. */
export function namesStopped({ stopped }: Switches, kind: typeof RULE | typeof MODEL): string[] {
  return [...stopped.keys()].flatMap((scope) =>
    scope.startsWith(kind) ? [scope.slice(kind.length)] : [],
  );
}

export const corridorScope = (corridor: string) => `corridor:${corridor}`;
export const clientScope = (client: string) => `client:${client}`;

/** A scope that is stopped. */
export type Stop = {
  /** For colleagues. */
  readonly reason: string;
  /** For clients that are refused. */
  readonly message: string | null;
  /** Name of the person or key. */
  readonly stoppedBy: string;
  readonly stoppedAt: string;
  /** Null: until somebody starts the scope. */
  readonly endsAt: string | null;
  /** Points or amount of a stricter verdict; other scopes have none. */
  readonly value?: number | undefined;
  /** The currency of an amount. */
  readonly currency?: string | undefined;
  /** The amount in its own currency, and in each other one that had an exchange rate when it was set. */
  readonly amounts?: Readonly<Record<string, number>> | undefined;
};

/** A longer time keeps clients away from what is open again; a shorter one brings more requests that are refused. */
const RETRY_SECONDS = 5;

export function retryAfterSeconds({ endsAt }: Pick<Stop, 'endsAt'>, nowMs: number): number {
  const leftMs = endsAt === null ? Number.POSITIVE_INFINITY : Date.parse(endsAt) - nowMs;
  return Math.max(1, Math.min(RETRY_SECONDS, Math.ceil(leftMs / 1000)));
}

/** All switches of a market, its metadata fields and the settings of its corridors, as they were read. */
export type Switches = {
  readonly version: number;
  /** By scope; none that has ended. */
  readonly stopped: ReadonlyMap<string, Stop>;
  /** The settings of every corridor of the market. */
  readonly settings: ReadonlyMap<string, CorridorSettings>;
  readonly fields: MetadataFields;
  /** The market of each corridor that another market has. */
  readonly elsewhere: ReadonlyMap<string, string>;
};

/** Adds what the environment of this process stops. A scope that people have stopped as well keeps their words. */
export function withEnvironment(
  switches: Switches,
  ofEnvironment: ReadonlyMap<string, Stop>,
): Switches {
  return { ...switches, stopped: new Map([...ofEnvironment, ...switches.stopped]) };
}

/** The widest scope that stops a corridor. */
export function stopOf({ stopped }: Switches, corridor: string): string | undefined {
  if (stopped.size === 0) return undefined;
  return ['all', 'market', corridorScope(corridor)].find((scope) => stopped.has(scope));
}

/** Scopes that a freeze closes to new transactions have this in front: what was accepted of them is scored. */
const FREEZE = 'freeze:';

/** The widest freeze of a corridor, or of the market where it is null. */
export function freezeOf({ stopped }: Switches, corridor: string | null): string | undefined {
  if (stopped.size === 0) return undefined;
  const scopes = ['market', ...(corridor === null ? [] : [corridorScope(corridor)])];
  return scopes.map((scope) => FREEZE + scope).find((scope) => stopped.has(scope));
}

export const isFreeze = (scope: string) => scope.startsWith(FREEZE);

export const hasFreeze = ({ stopped }: Switches) =>
  stopped.size > 0 && [...stopped.keys()].some(isFreeze);

/** Says in what is answered or sent about a transaction that no value may be released while its corridor is frozen. */
export function withReleases<Told extends { readonly corridor: string }>(
  switches: Switches,
  told: Told,
): Told & { readonly releases_held?: boolean } {
  if (freezeOf(switches, told.corridor) === undefined) return told;
  return { ...told, releases_held: true };
}

export const releasesField = z.boolean().optional().meta({
  description:
    'True while a freeze of the corridor or the market is in force: release no value. Absent otherwise. It is no part of what is stored.',
});

export const stopSchema = z
  .object({
    scope: z.string(),
    reason: z.string().meta({ description: 'For colleagues; clients do not see it.' }),
    message: z.string().nullable().meta({ description: 'What refused clients read.' }),
    stopped_by: z.string().meta({
      description: '`environment`: a variable of the API process, which `reason` names.',
    }),
    stopped_at: z.iso.datetime(),
    ends_at: z.iso.datetime().nullable().meta({ description: 'Null: until somebody starts it.' }),
    value: z.number().optional().meta({
      description: 'Points of a tightening, or the amount from which manual mode reviews.',
    }),
    currency: z.string().optional().meta({ description: 'Of the amount of manual mode.' }),
    amounts: z.record(z.string(), z.number()).optional().meta({
      description:
        'That amount by currency, as the exchange rates were when it was set. Payments in a currency that is missing are reviewed whatever their amount.',
    }),
  })
  .meta({ id: 'Stop' });
export type StopJson = z.infer<typeof stopSchema>;

export function toStopJson(scope: string, stop: Stop): StopJson {
  return {
    scope,
    reason: stop.reason,
    message: stop.message,
    stopped_by: stop.stoppedBy,
    stopped_at: stop.stoppedAt,
    ends_at: stop.endsAt,
    value: stop.value,
    currency: stop.currency,
    amounts: stop.amounts,
  };
}
