/**
 * Decides whether snapshots are read at all. Parties that are new have none, and asking Postgres for them takes a tenth of the time
 * of a batch of 100: after many parties without a snapshot only a sample is asked for.
 */

/** So many parties without a snapshot, one after the other, and the readings pause. */
const ABSENT_MAX = 512;
/** Parties that are rebuilt from rows before the next reading. More: after a loss of Redis more are rebuilt that have a snapshot. */
const PAUSED_PARTIES = 4096;

export type SnapshotReads = ReturnType<typeof createSnapshotReads>;

export function createSnapshotReads() {
  let absent = 0;
  let paused = 0;
  return {
    /** Whether these parties are to be read. */
    isDue(parties: number): boolean {
      if (absent < ABSENT_MAX) return true;
      paused += parties;
      if (paused < PAUSED_PARTIES) return false;
      paused = 0;
      return true;
    },
    /** Notes what a reading of parties found. */
    note(parties: number, found: number): void {
      absent = found === 0 ? absent + parties : 0;
    },
  };
}
