/**
 * The seam `personal`: tokens in place of the values of personal fields. Without a room that makes tokens, and in a market that
 * declares no field, values are stored as clients send them.
 */
import type { Config } from '../kit/config/config.ts';
import type { Changes } from '../kit/database/follow-changes.ts';
import type { Database } from '../kit/database/pool.ts';
import type { Log } from '../kit/metrics/log.ts';
import type { PersonalEdge } from '../kit/words/personal-edge.ts';
import type { PersonalId } from './domain/personal.ts';
import type { KeyedTransactionInput } from './domain/transaction.ts';

export type Tokens = PersonalEdge & {
  /** Declared ids. A submission may name no token of these ids, as an answer would reveal the token's value. */
  readonly ids: readonly PersonalId[];
  /** Replaces values by tokens, and makes a token for each new value. @throws Failure `unavailable` */
  readonly tokenise: (
    inputs: readonly KeyedTransactionInput[],
  ) => Promise<readonly KeyedTransactionInput[]>;
};

export type Personal = {
  /** Null while the market declares no field. */
  readonly tokens: () => Tokens | null;
  /** Reads again what this process has changed. */
  readonly refresh: () => Promise<void>;
};

export type OpenPersonal = (opened: {
  readonly config: Config;
  readonly database: Pick<Database, 'query' | 'write' | 'transaction'>;
  readonly changes: Pick<Changes, 'follow'>;
  readonly log: Pick<Log, 'info' | 'warn'>;
}) => Promise<Personal>;

export const NO_PERSONAL: Personal = { tokens: () => null, refresh: async () => undefined };
