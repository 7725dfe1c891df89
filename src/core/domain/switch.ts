/** Switches: what stops a scope, and how scopes are named. */
import { z } from 'zod';
import { idText } from '../../kit/words/plain-text.ts';
import type { MetadataFields } from './metadata.ts';

const CLIENT = 'client:';
const MODEL_NAME = /^model:[!-~]{1,70}$/;

export const SCOPE_CHARS_MAX = 80;
/** The name of a client as keys have it. */
const clientName = idText(64);

export const EMERGENCY = 'emergency';
const READ_ONLY = 'read-only:';

export type Layout = ReturnType<typeof layoutOf>;

/** `tighten` lowers the thresholds by points; `manual` reviews amounts from a bound on. */
export const STRICTER = ['tighten', 'manual'] as const;
export type Stricter = (typeof STRICTER)[number];

/** Each flag has a name that stays, and a sentence about what is off without the flag. */
export const FLAGS = {
  'what-if': '`POST /v1/evaluate` and what-ifs of scored transactions are answered.',
  exports: 'Searches are exported as files; an export that runs breaks off without it.',
  webhooks: 'Events are delivered; without it they wait, and no attempt is counted.',
  shadows: 'Models in shadow are asked; without it no opinion of theirs is stored.',
  'live-figures': 'Figures are sent as they change; without it the console asks for them.',
  totals: 'Searches count what matches; without it `total` is null.',
} as const satisfies Readonly<Record<string, string>>;

export type Flag = keyof typeof FLAGS;
export const FLAG_NAMES = Object.keys(FLAGS) as Flag[];

const FLAG = 'flag:';

/** Where entries of a corridor are appended. */
export const LOGS = ['streams', 'both', 'kafka'] as const;
export type CorridorLog = (typeof LOGS)[number];

export type CorridorSettings = {
  readonly version: number;
  /** Factor of the corridor's part of a batch beside other busy corridors, and of what a drain leaves to it. */
  readonly weight: number;
  /** Where data must stay: a tag for people. */
  readonly residency: string | null;
  /** Streams that the corridor is divided into, by account. */
  readonly shards: number;
  readonly log: CorridorLog;
  /** The last change of `log`; null: none, so that Kafka has nothing of the corridor. */
  readonly logChangedAtMs: number | null;
  /** When transactions were received whose entries are in both logs. */
  readonly compared: Compared | null;
};

/** `toMs` is null while it goes on. */
export type Compared = { readonly fromMs: number; readonly toMs: number | null };

export const [WEIGHT_MIN, WEIGHT_MAX] = [0.1, 10];
export const RESIDENCY_CHARS_MAX = 64;

export const DEFAULT_SETTINGS: CorridorSettings = {
  version: 0,
  weight: 1,
  residency: null,
  shards: 1,
  log: 'streams',
  logChangedAtMs: null,
  compared: null,
};

/** `client:NAME` is a scope of the submissions of a client, by any name that a key may have. */
export function isClientScope(text: string): boolean {
  const name = text.slice(CLIENT.length);
  return text.startsWith(CLIENT) && clientName.safeParse(name).data === name;
}

/** A scope in a path, in the one spelling that ids have: a client may have any name. */
export const scopeText = idText(SCOPE_CHARS_MAX);

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
export const clientScope = (client: string) => CLIENT + client;

/** A longer time keeps clients away from what is open again; a shorter one brings more requests that are refused. */
const RETRY_SECONDS = 5;

export function retryAfterSeconds({ ends_at }: Pick<Stop, 'ends_at'>, nowMs: number): number {
  const leftMs = ends_at === null ? Number.POSITIVE_INFINITY : Date.parse(ends_at) - nowMs;
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
export const freezeOf = (switches: Switches, corridor: string | null) =>
  widestOf(FREEZE, switches, corridor);

function widestOf(
  kind: string,
  { stopped }: Switches,
  corridor: string | null,
): string | undefined {
  if (stopped.size === 0) return undefined;
  const scopes = ['market', ...(corridor === null ? [] : [corridorScope(corridor)])];
  return scopes.map((scope) => kind + scope).find((scope) => stopped.has(scope));
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

/** A scope that is stopped. */
export type Stop = Omit<StopJson, 'scope'>;

export const toStopJson = (scope: string, stop: Stop): StopJson => ({ scope, ...stop });

/**
 * Levels of degradation that people set: scopes in the row of switches.
 * @param scope `market` or `corridor:US-EG`
 */
export const readOnlyScope = (scope: string) => READ_ONLY + scope;
export const isReadOnly = (scope: string) => scope.startsWith(READ_ONLY);

export const isLevelScope = (scope: string) => scope === EMERGENCY || isReadOnly(scope);

/** The widest scope that makes a corridor read-only, or the market where it is null. */
export const readOnlyOf = (switches: Switches, corridor: string | null) =>
  widestOf(READ_ONLY, switches, corridor);

/** The level that people have set for a corridor, or for the market where it is null. */
export function levelByHand(switches: Switches, corridor: string | null): 0 | 3 | 4 {
  if (switches.stopped.has(EMERGENCY)) return 4;
  return readOnlyOf(switches, corridor) === undefined ? 0 : 3;
}

/**
 * How a corridor is divided among streams, and which logs have its entries.
 * @param switches as last read
 */
export function layoutOf(switches: () => Pick<Switches, 'settings'>) {
  const settingsOf = (corridor: string) => switches().settings.get(corridor) ?? DEFAULT_SETTINGS;
  return {
    /** Streams of a corridor among which its accounts are divided. */
    shardsOf: (corridor: string) => settingsOf(corridor).shards,
    /** Where entries are appended and events published. */
    logOf: (corridor: string) => settingsOf(corridor).log,
    /** Whether Kafka may have entries of the corridor. */
    everKafka: (corridor: string) => settingsOf(corridor).logChangedAtMs !== null,
    /** When transactions were received whose entries are compared. */
    comparedOf: (corridor: string) => settingsOf(corridor).compared,
  };
}

/** Stricter verdicts that people set for a corridor and a time: scopes in the row of switches. */
export const stricterScope = (kind: Stricter, corridor: string) =>
  `${kind}:${corridorScope(corridor)}`;

export const isStricterScope = (scope: string) =>
  STRICTER.some((kind) => scope.startsWith(`${kind}:`));

/** The points that people have set; 0 where there are none. */
export const tightenedBy = ({ stopped }: Switches, corridor: string): number =>
  stopped.get(stricterScope('tighten', corridor))?.value ?? 0;

/** The amount from which payments in a currency are reviewed. */
export type ManualFrom = { readonly amount: number; readonly currency: string };

/** Finds the amount by the currency of a payment; a payment in a currency without an exchange rate may be worth any amount. */
export function manualOf(
  { stopped }: Switches,
  corridor: string,
): ((currency: string) => ManualFrom) | undefined {
  const { amounts } = stopped.get(stricterScope('manual', corridor)) ?? {};
  if (amounts === undefined) return undefined;
  return (currency) => ({ amount: amounts[currency] ?? 0, currency });
}

/** Flags: optional capabilities that people turn off. A flag that is off is a scope in the row of switches. */
export const flagScope = (flag: Flag) => FLAG + flag;
export const isFlagScope = (scope: string) => scope.startsWith(FLAG);

type Off = { readonly scope: string; readonly stop: Stop };

/** The stop that turns a flag off; undefined while the flag is on. */
export function offOf({ stopped }: Switches, flag: Flag): Off | undefined {
  if (stopped.size === 0) return undefined;
  for (const scope of [EMERGENCY, flagScope(flag)]) {
    const stop = stopped.get(scope);
    if (stop !== undefined) return { scope, stop };
  }
  return undefined;
}
