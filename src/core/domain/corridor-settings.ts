/** Settings of corridors: how each is divided among streams, and which logs have its entries. */

export type Layout = ReturnType<typeof layoutOf>;

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

/** `toMs` is null while the comparison goes on. */
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

/**
 * How a corridor is divided among streams, and which logs have its entries.
 * @param controls as last read
 */
export function layoutOf(
  controls: () => { readonly settings: ReadonlyMap<string, CorridorSettings> },
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
  };
}
