/**
 * Snapshots on their way to Redis. Nobody waits for an outcome: whether one was installed shows when its log is next
 * appended to. What is under way is bounded, so a Redis that answers slowly slows the rebuilds down.
 */
import { createRoom, type TakeRoom } from '../../profile/room.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { LogInstall, ProfileLogs } from '../../stream/profile-logs.ts';

/** Bounds one call. */
const CALL_BYTES = 256 * 1024;
const UNDER_WAY_BYTES_MAX = 8 * 1024 * 1024;

export type Installs = {
  /**
   * Room for a snapshot, which lasts until it is sent: side by side with others, as a buffer each were holes in the memory of
   * the C library.
   */
  readonly take: TakeRoom;
  readonly add: (install: LogInstall) => void;
  /** Resolves once there is room for more; undefined when there is. */
  readonly room: () => Promise<void> | undefined;
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
  let room = createRoom(new ArrayBuffer(0), 0);
  let roomLeft = 0;
  let answered = Promise.withResolvers<void>();

  async function send(installs: readonly LogInstall[], bytes: number): Promise<void> {
    underWayBytes += bytes;
    try {
      for (const outcome of await logs.install(installs)) metrics.profileInstalls.inc({ outcome });
    } catch {
      // Unknown for most, and without consequence: a copy counts only where its stamp is found.
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

  async function waitForRoom(): Promise<void> {
    while (underWayBytes > UNDER_WAY_BYTES_MAX) await answered.promise;
  }

  function take(bytes: number): ReturnType<TakeRoom> {
    if (bytes > roomLeft) {
      room = createRoom(new ArrayBuffer(CALL_BYTES), 0);
      roomLeft = CALL_BYTES;
    }
    roomLeft -= bytes;
    return room.take(bytes);
  }

  return {
    ...{ flush, take },
    add(install) {
      added.push(install);
      addedBytes += install.snapshot.length;
      if (addedBytes >= CALL_BYTES) flush();
    },
    room: () => (underWayBytes > UNDER_WAY_BYTES_MAX ? waitForRoom() : undefined),
  };
}
