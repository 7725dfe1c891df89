/**
 * Logs of profiles as Redis and the scripts append-profiles and install-profiles keep them. For this simulation and the
 * property tests only.
 */
import { STAMP_BYTES } from '../../src/core/profile/profile.ts';
import type {
  InstallOutcome,
  KnownEnd,
  LogAppend,
  LogInstall,
  LogReply,
} from '../../src/core/stream/profiles/profile-logs.ts';

/** Guards that a test takes out to see the simulation go red. */
export type LogGuards = {
  /** A copy counts only where its stamp stands. */
  readonly stamp: boolean;
  /** A snapshot is installed only where its stamp stands. */
  readonly installStamp: boolean;
};

export type MemoryProfiles = ReturnType<typeof createMemoryProfiles>;

const NO_BYTES = Buffer.alloc(0);

export function createMemoryProfiles(guards: LogGuards) {
  const values = new Map<string, Buffer>();
  let remembered: [string, Buffer][] = [];
  let isFull = false;
  /** Bytes behind a known end; undefined where the end's stamp is not in the log. */
  const since = (key: string, known: KnownEnd, isGuarded: boolean): Buffer | undefined => {
    const log = values.get(key);
    if (log === undefined || log.length < known.length) return isGuarded ? undefined : NO_BYTES;
    const at = known.length - STAMP_BYTES;
    const stands = log.readUInt32LE(at) === known.high && log.readUInt32LE(at + 4) === known.low;
    return stands || !isGuarded ? log.subarray(known.length) : undefined;
  };
  const lackOf = ({ key, known }: LogAppend): Pick<LogReply, 'lacks' | 'bytes'> => {
    const log = values.get(key);
    if (log === undefined) return { lacks: 'absent', bytes: NO_BYTES };
    const behind = known === null ? undefined : since(key, known, guards.stamp);
    if (behind === undefined) return { lacks: 'whole', bytes: Buffer.from(log) };
    return { lacks: behind.length === 0 ? 'nothing' : 'since', bytes: Buffer.from(behind) };
  };
  return {
    values,
    append(append: LogAppend): LogReply {
      const { key, block } = append;
      const lack = lackOf(append);
      if (block.length === 0) return { ...lack, isStored: true };
      if (isFull) values.delete(key);
      else values.set(key, Buffer.concat([values.get(key) ?? NO_BYTES, block]));
      return { ...lack, isStored: !isFull };
    },
    install({ key, known, snapshot }: LogInstall): InstallOutcome {
      const behind = since(key, known, guards.installStamp);
      if (behind === undefined) return 'refused';
      if (isFull) values.delete(key);
      else values.set(key, Buffer.concat([snapshot, behind]));
      return isFull ? 'dropped' : 'installed';
    },
    invalidate: (key: string) => values.delete(key),
    clear: () => values.clear(),
    /** While it is full nothing is stored. */
    setFull(full: boolean) {
      isFull = full;
    },
    /** Notes the values that `rollBack` brings back. */
    remember() {
      remembered = [...values];
    },
    rollBack() {
      values.clear();
      for (const [key, log] of remembered) values.set(key, log);
    },
  };
}
