/**
 * Stores snapshots in Postgres, a bounded number of bytes at a time. Nobody waits for them: a snapshot that is not stored costs
 * a rebuild from rows.
 */
import type { Metrics } from '../../../kit/metrics/metrics.ts';
import type { PartyKind } from '../../domain/party.ts';
import type { NewSnapshot } from '../../store/profiles/profile-snapshots.ts';

const CALL_BYTES = 256 * 1024;
/** No more are added then, so that at most one exceeds it: more wait only where Postgres is slower than the folds. */
const WAITING_BYTES_MAX = 2 * 1024 * 1024;

type StoreSnapshots = (snapshots: readonly NewSnapshot[]) => Promise<void>;

export type SnapshotWrites = ReturnType<typeof createSnapshotWrites>;

export function createSnapshotWrites(
  kind: PartyKind,
  store: StoreSnapshots,
  { profileSnapshots }: Pick<Metrics, 'profileSnapshots'>,
) {
  /** By party: one statement stores a party once. */
  let waiting = new Map<string, NewSnapshot>();
  let bytes = 0;
  let isStoring = false;

  async function storeAll(): Promise<void> {
    isStoring = true;
    while (waiting.size > 0) {
      const snapshots = [...waiting.values()];
      waiting = new Map();
      bytes = 0;
      const outcome = await store(snapshots).then(
        () => 'stored',
        () => 'failed',
      );
      profileSnapshots.inc({ party: kind, outcome }, snapshots.length);
    }
    isStoring = false;
  }

  return {
    /** @param make encodes the snapshot, which is in vain where too many wait */
    add(make: () => NewSnapshot): void {
      if (bytes >= WAITING_BYTES_MAX) {
        profileSnapshots.inc({ party: kind, outcome: 'dropped' });
        return;
      }
      const made = make();
      bytes += made.snapshot.length;
      waiting.set(made.party, made);
      if (bytes >= CALL_BYTES && !isStoring) void storeAll();
    },
    /** Stores the snapshots that wait; beside a call under way they follow it. */
    flush(): void {
      if (!isStoring && waiting.size > 0) void storeAll();
    },
  };
}
