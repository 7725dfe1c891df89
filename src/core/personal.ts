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
  /** Replaces values by tokens. @throws Failure `unavailable` */
  readonly tokenise: (inputs: readonly KeyedTransactionInput[]) => Promise<Tokenised>;
  /**
   * Returns each repetition with the stored tokens in place of its own ones, where nothing has the stored tokens any more. The
   * client's value may be the erased one, and nobody can tell.
   */
  readonly withErased: (repeated: readonly Repeated[]) => Promise<readonly KeyedTransactionInput[]>;
};

/** Inputs with tokens. */
export type Tokenised = {
  readonly inputs: readonly KeyedTransactionInput[];
  /** Indexes of inputs with a new value, whose token leads nowhere until it is stored. */
  readonly fresh: ReadonlySet<number>;
  /**
   * Makes the subjects of new values of these inputs.
   * @returns all inputs, with the tokens of values that other requests have made first
   */
  readonly store: (indexes: ReadonlySet<number>) => Promise<readonly KeyedTransactionInput[]>;
};

/** An input, and the row that has its idempotency key. */
export type Repeated = {
  readonly input: KeyedTransactionInput;
  readonly stored: { readonly [Id in PersonalId]: string | null } & { readonly metadata: unknown };
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
