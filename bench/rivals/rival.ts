/**
 * A system that the engine is compared with. A rival gets the same requests over the same HTTP, keeps each payment
 * durably before it answers, has it scored once, and stores the whole score. It does without validation,
 * fingerprints, the search for duplicates, histories, partitions, streams by corridor, events and isolation.
 */
import type { Transaction } from '../../src/core/domain/transaction.ts';
import type { Accept } from '../support/plain-service.ts';

/**
 * `usual`: as the documentation's first pages have it, one job and one row a payment. `batched`: at its best
 * by its own documentation, many rows a statement and many jobs a call.
 */
export type Style = 'usual' | 'batched';

export type Stores = { readonly databaseUrl: string; readonly redisUrl: string };

export type RivalWorker = {
  /** Scores that this process stored; of an API always 0 where workers score. */
  readonly scored: () => number;
  readonly close: () => Promise<void>;
};

export type RivalApi = RivalWorker & { readonly accept: Accept };

export type Rival = {
  /** Creates what the stores lack, as the API starts before any worker. */
  readonly openApi: (style: Style, stores: Stores) => Promise<RivalApi>;
  /** Absent where the API scores as it accepts. */
  readonly openWorker?: (style: Style, stores: Stores) => Promise<RivalWorker>;
};

/** A transaction on its way into a rival's table. */
export type Payment = Transaction & { readonly idempotencyKey: string };

export const QUEUE = 'score';
/** Connections of one process: what the engine has by default. */
export const POOL_CONNECTIONS = 10;
