/**
 * The shape of a scenario. Each file of test/chaos/scenarios exports one (or a family of one shape); the
 * runner starts services, engine, traffic and reader, lets the scenario do its harm, waits until all is
 * at rest and has the checker judge. The same seed draws the same faults.
 */
import type { Random } from '../../../src/kit/random.ts';
import type { TcpProxy } from '../../support/tcp-proxy.ts';
import type { Invariant } from './checker.ts';
import type { Engine } from './engine.ts';
import type { Ledger } from './ledger.ts';
import type { Load, makeBatches, Spoiled } from './load.ts';
import type { ChaosServices, ServicesOptions } from './services.ts';

export type Scenario = {
  /** As on the command line. */
  readonly name: string;
  /** A sentence: which fault meets which part. */
  readonly what: string;
  readonly setup?: Partial<Setup>;
  /** Services in place of one Postgres and one Redis. */
  readonly startServices?: (options: ServicesOptions) => Promise<ChaosServices>;
  /** Draws the schedule; nothing has been started yet. */
  readonly plan: (random: Random, scale: Scale) => Plan;
};

export type Scale = {
  /** Transactions to be posted at least, and how many a second. */
  readonly transactions: number;
  readonly rate: number;
  /** Fewer rounds, where a suite has `--quick`. */
  readonly isQuick: boolean;
};

export type Setup = {
  readonly apis: number;
  readonly workers: number;
  /** Transactions a second, and a request. */
  readonly rate: number;
  readonly batch: number;
  /** Corridor of the steady load; undefined: its accounts'. */
  readonly corridor: string | undefined;
  readonly batches: typeof makeBatches;
  /** True: the scenario makes its own traffic in place of the steady load. */
  readonly ownTraffic: boolean;
  /** Proxies that stand before the services, as far as the engine sees. */
  readonly proxied: readonly ('postgres' | 'redis')[];
  readonly environment: Readonly<Record<string, string>>;
  readonly postgresSettings: Readonly<Record<string, string>>;
  /** Bytes of a small disk that Postgres gets for its own. */
  readonly postgresDiskBytes: number | undefined;
  readonly spoiled: Spoiled | undefined;
  /** Whether a model decides in every corridor. */
  readonly hasModel: boolean;
  /**
   * False where answers of Postgres get lost: the next delivery finds a score that was stored unreported, and
   * does not count it as new.
   */
  readonly countersExact: boolean;
  /** Longest time from the end of the last fault until everything accepted before it is final. */
  readonly recoverSecondsMax: number;
};

export type Plan = {
  /** A line for each step, printed before the step begins. */
  readonly schedule: readonly string[];
  /** Kinds of fault that must have happened, each at least once. */
  readonly faults: readonly string[];
  readonly run: (stage: Stage) => Promise<void>;
  /** Bars of this scenario alone, judged once everything has come to rest. */
  readonly judge?: (stage: Stage) => Promise<void> | void;
};

export type Stage = {
  readonly services: ChaosServices;
  readonly proxies: Readonly<Record<'postgres' | 'redis', TcpProxy | undefined>>;
  readonly engine: Engine;
  readonly load: Load;
  readonly ledger: Ledger;
  /** Least number of transactions to be posted. */
  readonly transactions: number;
  readonly seed: string;
  readonly signal: AbortSignal;
  readonly random: Random;
  /** A fault took effect. */
  happened(fault: string, times?: number): void;
  /** A bar beside the invariants, or the meaning of one of them for this fault alone. */
  bar(check: string, found: number, bound: Bound, invariant?: Invariant): void;
  /** A note for readers of the report. */
  remark(text: string): void;
  /** Resolves when this share of the transactions has been acknowledged. */
  progress(share: number): Promise<void>;
  pause(ms: number): Promise<void>;
  /** Polls until true; throws after `timeoutMs`. */
  until(what: string, isSo: () => Promise<boolean> | boolean, timeoutMs?: number): Promise<void>;
};

export type Bound =
  | { readonly atMost: number }
  | { readonly atLeast: number }
  | { readonly exactly: number };
