/** A market as a process works on it. A function that needs two of its parts takes the market. */
import type { Guards } from '../kit/breakers/guards.ts';
import type { Database } from '../kit/database/pool.ts';
import type { Layout } from './domain/corridor.ts';
import type { MarketInRedis } from './stream/memory/memory.ts';

export type Market = MarketInRedis &
  Layout & {
    readonly database: Database;
    /** The breakers around calls to both. */
    readonly guards: Guards;
  };
