/**
 * Sends snapshots to Redis. Nobody waits for an outcome: the next append to a log shows whether its snapshot
 * was installed. Snapshots in flight are bounded, so a slow Redis slows rebuilds down.
 */
import type { Metrics } from '../../../kit/metrics/metrics.ts';
import type { TakeBytes } from '../../profile/arena.ts';
import type { LogInstall, ProfileLogs } from '../../stream/profiles/profile-logs.ts';

/** Bounds one call. */
const CALL_BYTES = 256 * 1024;
const UNDER_WAY_BYTES_MAX = 8 * 1024 * 1024;

export type Installs = {
  /**
   * Memory for a snapshot until it is sent: snapshots lie side by side, as a buffer each would fragment the
   * memory of the C library.
   */
  readonly take: TakeBytes;
  readonly add: (install: LogInstall) => void;
  /** Resolves once there is room for more. */
  readonly waitWhileFull: () => Promise<void>;
  /** Sends what was added. */
  readonly flush: () => void;
};

export function createInstalls(
  logs: Pick<ProfileLogs, 'install'>,
  metrics: Pick<Metrics, 'profileInstalls'>,
): Installs {
  let added: LogInstall[] = [];
  let addedBytes = 0;
  let underWayBytes = 0;
  let room = new ArrayBuffer(0);
  let used = 0;
  let answered = Promise.withResolvers<void>();

  async function send(installs: readonly LogInstall[], bytes: number): Promise<void> {
    underWayBytes += bytes;
    try {
      for (const outcome of await logs.install(installs)) metrics.profileInstalls.inc({ outcome });
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
    take(bytes) {
      if (used + bytes > room.byteLength) {
        room = new ArrayBuffer(Math.max(CALL_BYTES, bytes));
        used = 0;
      }
      used += bytes;
      return new DataView(room, used - bytes, bytes);
    },
    add(install) {
      added.push(install);
      addedBytes += install.snapshot.length;
      if (addedBytes >= CALL_BYTES) flush();
    },
    async waitWhileFull() {
      while (underWayBytes > UNDER_WAY_BYTES_MAX) await answered.promise;
    },
  };
}
