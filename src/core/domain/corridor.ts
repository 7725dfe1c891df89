/** Corridors, how each is divided among streams and which logs have its entries, and the scopes that people bound. */
import { given, NAMED_MAX, oneOf } from '../../kit/words/describe-issue.ts';
import { idText } from '../../kit/words/plain-text.ts';

export type Layout = ReturnType<typeof layoutOf>;

/** Where entries of a corridor are appended. */
export const LOGS = ['streams', 'both', 'kafka'] as const;
export type CorridorLog = (typeof LOGS)[number];

export type CorridorSettings = {
  readonly version: number;
  /** Factor of the corridor's part of a batch beside other busy corridors, and of what a drain leaves to it. */
  readonly weight: number;
  /** Where data must stay: a tag of servers. */
  readonly residency: string | null;
  /** Region of figures and alerts; null: the source country. Rollouts go by source countries all the same. */
  readonly region: string | null;
  /** Streams that the corridor is divided into, by account. */
  readonly shards: number;
  readonly log: CorridorLog;
  /** The last change of `log`; null: none, so that Kafka has nothing of the corridor. */
  readonly logChangedAtMs: number | null;
  /** When transactions were received whose entries are in both logs. */
  readonly compared: Compared | null;
};

/** `toMs` is null while the comparison goes on. */
export type Compared = { readonly fromMs: number; readonly toMs: number | null };

export const [WEIGHT_MIN, WEIGHT_MAX] = [0.1, 10];
/** Characters of a residency and of a region. */
export const TAG_CHARS_MAX = 64;

export const DEFAULT_SETTINGS: CorridorSettings = {
  version: 0,
  weight: 1,
  residency: null,
  region: null,
  shards: 1,
  log: 'streams',
  logChangedAtMs: null,
  compared: null,
};

/**
 * How a corridor is divided among streams, which logs have its entries, and where its data may be.
 * @param controls as last read
 * @param here tags of the servers of this process
 */
export function layoutOf(
  controls: () => { readonly settings: ReadonlyMap<string, CorridorSettings> },
  here: readonly string[] = [],
) {
  const settingsOf = (corridor: string) => controls().settings.get(corridor) ?? DEFAULT_SETTINGS;
  return {
    /** Streams of a corridor among which its accounts are divided. */
    shardsOf: (corridor: string) => settingsOf(corridor).shards,
    /** Where entries are appended and events published. */
    logOf: (corridor: string) => settingsOf(corridor).log,
    /** Whether Kafka may have entries of the corridor. */
    everKafka: (corridor: string) => settingsOf(corridor).logChangedAtMs !== null,
    /** When transactions were received whose entries are compared. */
    comparedOf: (corridor: string) => settingsOf(corridor).compared,
    /** Why this process refuses the corridor; undefined where it takes the corridor. */
    refusalOf: (corridor: string) => residencyProblem(corridor, settingsOf(corridor), here),
  };
}

export const regionOf = (corridor: string, { region }: Pick<CorridorSettings, 'region'>) =>
  region ?? corridor.slice(0, 2);

/** Servers without a tag take every corridor. */
export function residencyProblem(
  corridor: string,
  { residency }: Pick<CorridorSettings, 'residency'>,
  here: readonly string[],
): string | undefined {
  if (residency === null || here.length === 0 || here.includes(residency)) return undefined;
  return `data of ${corridor} must stay in ${residency}, and these servers are in ${here.join(', ')}`;
}

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

/** In front of the reason code of a rule, or the name of a model, that judges nothing while its scope is stopped. */
export const RULE = 'rule:';
export const MODEL = 'model:';
export const MARKET = 'market';

export const corridorScope = (corridor: string) => `corridor:${corridor}`;
const CLIENT = 'client:';
export const clientScope = (client: string) => CLIENT + client;
export const keyScope = (keyId: string) => `key:${keyId}`;
export const flagScope = (flag: Flag) => `flag:${flag}`;

/** The name of a client as keys have it. */
const clientName = idText(64);

/** `client:NAME` is a scope of the submissions of a client, by any name that a key may have. */
export function isClientScope(text: string): boolean {
  const name = text.slice(CLIENT.length);
  return text.startsWith(CLIENT) && clientName.safeParse(name).data === name;
}

export type PartyField = 'account_id' | 'device_id' | 'ip';
/** The field of a transaction that names a party, by the scope whose limit holds for each such party. */
export const partyFields: ReadonlyMap<string, PartyField> = new Map([
  ['each:account', 'account_id'],
  ['each:device', 'device_id'],
  ['each:address', 'ip'],
]);

/** Forms of scopes: a form is a name, or the beginning of names. */
export type ScopeForm =
  | 'all'
  | 'market'
  | 'corridor'
  | 'client'
  | 'key'
  | 'rule'
  | 'model'
  | 'flag'
  | 'each';

/** Undefined where a transaction may name the corridor. A market of many corridors names their list in place of them. */
export function corridorProblem(known: ReadonlySet<string>, corridor: string): string | undefined {
  if (known.has(corridor)) return undefined;
  const which = known.size <= NAMED_MAX ? oneOf([...known]) : 'a corridor of GET /v1/corridors';
  return `must be ${which}, not ${given(corridor)}`;
}
