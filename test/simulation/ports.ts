/**
 * The two ports of the engine, store and stream, as modules that tests put in the place of the engine's own (`vi.mock`): each
 * function goes to the stand-in that its connection is.
 */
import type { insertDeadLetters } from '../../src/core/store/dead-letters/dead-letters.ts';
import type { storeScores } from '../../src/core/store/scores/scores.ts';
import type { readStoredScores } from '../../src/core/store/scores/stored-scores.ts';
import type { listCorridors } from '../../src/core/store/transactions/transactions.ts';
import type * as group from '../../src/core/stream/group/consumer-group.ts';
import type { promoteRetries } from '../../src/core/stream/settle/retries.ts';
import type * as settling from '../../src/core/stream/settle/settle.ts';
import type { measureStreams } from '../../src/core/stream/status/lag.ts';

/** A function that has its connection. */
type Bound<F> = F extends (connection: never, ...rest: infer Rest) => infer Result
  ? (...rest: Rest) => Result
  : never;

export type StorePort = {
  readonly storeScores: Bound<typeof storeScores>;
  readonly readStoredScores: Bound<typeof readStoredScores>;
  readonly insertDeadLetters: Bound<typeof insertDeadLetters>;
  readonly listCorridors: Bound<typeof listCorridors>;
};

export type StreamPort = {
  readonly ensureGroups: Bound<typeof group.ensureGroups>;
  readonly findStale: Bound<typeof group.findStale>;
  readonly claimStale: Bound<typeof group.claimStale>;
  readonly heartbeat: Bound<typeof group.heartbeat>;
  readonly removeConsumer: Bound<typeof group.removeConsumer>;
  readonly removeDeadConsumers: Bound<typeof group.removeDeadConsumers>;
  readonly settle: Bound<typeof settling.settle>;
  readonly prove: Bound<typeof settling.prove>;
  readonly promoteRetries: Bound<typeof promoteRetries>;
  readonly measureStreams: Bound<typeof measureStreams>;
};

type Functions<Port> = {
  readonly [Name in keyof Port]: Port[Name] extends (...rest: infer Rest) => infer Result
    ? (connection: unknown, ...rest: Rest) => Result
    : never;
};

/** Functions whose first argument is the stand-in, or a market in Redis that has it. */
function toModule<Port extends object>(names: readonly (keyof Port)[]): Functions<Port> {
  const entries = names.map((name) => [
    name,
    (connection: { redis?: unknown }, ...rest: unknown[]) => {
      const port = (connection.redis ?? connection) as Record<
        keyof Port,
        (...all: unknown[]) => unknown
      >;
      return port[name](...rest);
    },
  ]);
  return Object.fromEntries(entries);
}

export const store: Functions<StorePort> = toModule<StorePort>([
  ...(['storeScores', 'readStoredScores', 'insertDeadLetters', 'listCorridors'] as const),
]);

export const stream: Functions<StreamPort> = toModule<StreamPort>([
  ...(['ensureGroups', 'findStale', 'claimStale', 'heartbeat', 'removeConsumer'] as const),
  ...(['removeDeadConsumers', 'settle', 'prove', 'promoteRetries'] as const),
  ...(['measureStreams'] as const),
]);

/** The duty of Redis' memory, which does not run out here. */
export const memory = {
  memoryDuty: () => ({ name: 'memory', everyMs: 3_600_000, run: async () => undefined }),
};
