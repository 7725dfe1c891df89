/** How a corridor is divided among streams, and which logs have its entries. */
import { type Compared, type CorridorLog, DEFAULT_SETTINGS } from './corridor-settings.ts';
import type { Switches } from './switch.ts';

export type Layout = {
  /** Streams of a corridor among which its accounts are divided. */
  readonly shardsOf: (corridor: string) => number;
  /** Where entries are appended and events published. */
  readonly logOf: (corridor: string) => CorridorLog;
  /** Whether Kafka may have entries of the corridor. */
  readonly everKafka: (corridor: string) => boolean;
  /** When transactions were received whose entries are compared. */
  readonly comparedOf: (corridor: string) => Compared | null;
};

/** @param switches as last read */
export function layoutOf(switches: () => Pick<Switches, 'settings'>): Layout {
  const settingsOf = (corridor: string) => switches().settings.get(corridor) ?? DEFAULT_SETTINGS;
  return {
    shardsOf: (corridor) => settingsOf(corridor).shards,
    logOf: (corridor) => settingsOf(corridor).log,
    everKafka: (corridor) => settingsOf(corridor).logChangedAtMs !== null,
    comparedOf: (corridor) => settingsOf(corridor).compared,
  };
}
