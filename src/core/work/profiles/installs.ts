/**
 * Sends snapshots to Redis, a bounded number of bytes at a time, so that a slow Redis slows rebuilds down. Nobody waits for an
 * outcome: the next append to a log shows whether its snapshot was installed.
 */
import type { Guards } from '../../../kit/breakers/guards.ts';
import type { Metrics } from '../../../kit/metrics/metrics.ts';
import type { MarketInRedis } from '../../stream/memory/memory.ts';
import type { LogInstall, ProfileLogs } from '../../stream/profiles/profile-logs.ts';

const CALL_BYTES = 256 * 1024;
const UNDER_WAY_BYTES_MAX = 8 * 1024 * 1024;

export type Installs = ReturnType<typeof createInstalls>;

type InstallsOptions = {
  readonly market: MarketInRedis & { readonly guards: Pick<Guards, 'redis'> };
  readonly logs: ProfileLogs;
  readonly metrics: Pick<Metrics, 'profileInstalls'>;
  readonly ttlSeconds: number;
};

export function createInstalls({ market, logs, metrics, ttlSeconds }: InstallsOptions) {
  let added: LogInstall[] = [];
  let addedBytes = 0;
  let underWayBytes = 0;
  let room = new ArrayBuffer(0);
  let used = 0;
  let answered = Promise.withResolvers<void>();

  async function send(installs: readonly LogInstall[], bytes: number): Promise<void> {
    underWayBytes += bytes;
    try {
      const outcomes = await market.guards.redis.run(() =>
        logs.install(market, ttlSeconds, installs),
      );
      for (const outcome of outcomes) metrics.profileInstalls.inc({ outcome });
    } catch {
      // Most outcomes are unknown and do not matter: a copy counts only where its stamp is found.
      metrics.profileInstalls.inc({ outcome: 'failed' }, installs.length);
    }
    underWayBytes -= bytes;
    answered.resolve();
    answered = Promise.withResolvers<void>();
  }

  function flush(): void {
    if (added.length === 0) return;
    void send(added, addedBytes);
    added = [];
    addedBytes = 0;
  }

  return {
    flush,
    /**
     * Memory for a snapshot, which is not used again while somebody has it: snapshots lie next to each other, as a buffer each would
     * fragment the memory of the C library.
     */
    take(bytes: number): DataView<ArrayBuffer> {
      if (used + bytes > room.byteLength) {
        room = new ArrayBuffer(Math.max(CALL_BYTES, bytes));
        used = 0;
      }
      used += bytes;
      return new DataView(room, used - bytes, bytes);
    },
    add(install: LogInstall): void {
      market.memory.profileBytes -= install.snapshot.length;
      added.push(install);
      addedBytes += install.snapshot.length;
      if (addedBytes >= CALL_BYTES) flush();
    },
    /** Resolves once there is room for more. */
    async waitWhileFull(): Promise<void> {
      while (underWayBytes > UNDER_WAY_BYTES_MAX) await answered.promise;
    },
  };
}
