/**
 * The commits of each corridor: a breaker, a bound on the sessions that they take, and the level that follows from their durations
 * and failures. All corridors of a market share one Postgres and one pool, so only their commits tell a corridor that is slow or held
 * up alone from the others.
 */
import { createSlots, type InSlot } from '../process/slots.ts';
import { Failure } from '../words/failure.ts';
import { BREAKER_SETTINGS, type Breaker, type BreakerSettings, type Guard } from './breaker.ts';
import {
  createDegradation,
  type DegradationLevel,
  type DependencyLook,
  measure,
  worse,
} from './degradation.ts';

/** Code of the Failure of a commit that the breaker of its corridor refuses or ends. */
export const CORRIDOR_STUCK = 'CORRIDOR_STUCK';
/** Code of the Failure of a commit for which no session of its corridor was free in time. */
export const CORRIDOR_BUSY = 'CORRIDOR_BUSY';

/** A refused corridor is tried this often, so posts go on this much later than they could. */
export const WRITES_SETTINGS: BreakerSettings = { ...BREAKER_SETTINGS, openMs: 5000 };
/**
 * A corridor of which no commit has ended for this long is refused, if another one's were quick meanwhile. Longer waits fill a process
 * with requests of that corridor; shorter ones refuse a corridor for one large batch on a busy machine.
 */
const STUCK_MS = 3000;
/**
 * A commit of this age may be held up by one of its corridors, so each of them commits apart from then on. With 500 ms, 16 posts a
 * second of such a corridor took all ten connections of a process before the others were apart; less takes a busy machine for a fault.
 */
const APART_AFTER_MS = 250;
/**
 * A corridor is told apart from Postgres as a whole for this long after commits of another one were quick. Longer hides a slow
 * Postgres from the level of the process; shorter blames Postgres where other corridors have little traffic.
 */
const OTHERS_MS = 10_000;
/** Looks are this far apart, so a commit that one counts may have ended so long before. */
const LOOK_MS = 1000;
/** How long corridors go on committing apart: each round of suspicion costs one slow commit that they share. */
const APART_MS = 30_000;
/**
 * Part of a pool that commits of one corridor take at most, and commits of several corridors together. Larger: one corridor whose
 * commits hang leaves others no session; smaller: a corridor with many clients waits while sessions are idle.
 */
const SESSIONS_SHARE = 1 / 3;
/** Least sessions: a commit is written while another one commits, also in a pool of fewer than six connections. */
const SESSIONS_MIN = 2;

/** The pool of the commits: its size, and how long a caller waits for a session. */
export type CommitPool = { readonly connectionsMax: number; readonly waitMs: number };

type Corridor = {
  readonly breaker: Breaker;
  readonly inSlot: InSlot;
  readonly take: ReturnType<typeof createDegradation>;
  level: DegradationLevel;
  peak: DegradationLevel;
  apartUntilMs: number;
  /** When quick commits of the corridor were last seen. */
  servedMs: number;
};

export type CorridorWrites = ReturnType<typeof createCorridorWrites>;

/**
 * @param create makes the breaker of a corridor
 * @param nowMs monotonic clock
 */
export function createCorridorWrites(
  create: (corridor: string, onChange: () => void) => Breaker,
  postgres: Pick<Breaker, 'run' | 'runUnmeasured'>,
  pool: CommitPool,
  nowMs: () => number,
) {
  const known = new Map<string, Corridor>();
  const slotsOf = createSlotsOf(pool);
  // The code makes posts that share the commit commit alone, each in the sessions of its own corridor.
  const inSharedSlot = slotsOf(CORRIDOR_STUCK, 'several corridors');
  const find = (name: string): Corridor => {
    const found = known.get(name);
    if (found !== undefined) return found;
    const breaker = create(name, () => note(made));
    const made: Corridor = {
      breaker,
      inSlot: slotsOf(CORRIDOR_BUSY, `the corridor ${name}`),
      take: createDegradation(),
      level: 0,
      peak: 0,
      apartUntilMs: Number.NEGATIVE_INFINITY,
      servedMs: Number.NEGATIVE_INFINITY,
    };
    known.set(name, made);
    return made;
  };
  const isApart = (corridor: Corridor) => {
    const atMs = nowMs();
    const isSuspect = corridor.level > 0 || corridor.breaker.oldestMs() > APART_AFTER_MS;
    if (isSuspect) corridor.apartUntilMs = atMs + APART_MS;
    return atMs < corridor.apartUntilMs;
  };
  const isOtherServed = (corridor: Corridor, sinceMs: number) =>
    [...known.values()].some((other) => other !== corridor && other.servedMs >= sinceMs);
  return {
    /** The guard of a commit. Only a commit of one corridor proves something about that corridor. */
    guardOf(corridors: ReadonlySet<string>): Guard {
      const own = [...corridors].map(find);
      const [only, second] = own;
      if (only !== undefined && second === undefined)
        return (commit) =>
          only.breaker.run(() => only.inSlot(() => postgres.runUnmeasured(commit)));
      return (commit) =>
        own.reduce(
          (next, { breaker: { state, run, attend } }) =>
            () =>
              state() === 'closed' ? attend(next) : run(next),
          () => inSharedSlot(() => postgres.run(commit)),
        )();
    },
    /** How long a corridor's commits are refused from now on; 0 where one may pass. */
    refusedMs: (corridor: string) => known.get(corridor)?.breaker.refusedMs() ?? 0,
    /** A corridor among these that commits apart from others. */
    apartOf(corridors: ReadonlySet<string>): string | undefined {
      if (known.size < 2) return undefined;
      for (const [name, writes] of known) if (corridors.has(name) && isApart(writes)) return name;
      return undefined;
    },
    breakerOf: (corridor: string) => known.get(corridor)?.breaker,
    breakers: () => [...known.values()].map(({ breaker }) => breaker),
    levelOf: (corridor: string): DegradationLevel => known.get(corridor)?.level ?? 0,
    /** Called once a second. @returns the looks that count for Postgres as a whole, as no other corridor's commits were quick */
    look(): DependencyLook[] {
      const slow: [Corridor, DependencyLook][] = [];
      for (const writes of known.values()) {
        const { breaker, take } = writes;
        const look = { stalledMs: breaker.stalledMs(), tally: breaker.takeTally() };
        writes.level = take({ dependencies: [look], breakerLevel: writes.peak });
        writes.peak = 0;
        note(writes);
        if (measure(look) > 0) slow.push([writes, look]);
        else if (look.tally.calls > 0) writes.servedMs = nowMs();
      }
      const sinceMs = nowMs() - OTHERS_MS;
      return slow.flatMap(([writes, look]) => (isOtherServed(writes, sinceMs) ? [] : look));
    },
    /** Refuses corridors whose commits hang while those of another corridor are quick, also in a process that was slow a moment ago. */
    refuseStuck() {
      for (const writes of known.values()) {
        const stalledMs = writes.breaker.stalledMs();
        const sinceMs = nowMs() - stalledMs + LOOK_MS;
        if (stalledMs > STUCK_MS && isOtherServed(writes, sinceMs)) writes.breaker.trip();
      }
    },
  };
}

const createSlotsOf =
  ({ connectionsMax, waitMs }: CommitPool) =>
  (code: string, whose: string): InSlot => {
    const callsMax = Math.max(SESSIONS_MIN, Math.floor(connectionsMax * SESSIONS_SHARE));
    const message = `${callsMax} commits of ${whose} are under way; a repetition with the same key is safe`;
    const refuse = () => new Failure('unavailable', code, message);
    return createSlots({ callsMax, waitMs, refuse });
  };

/** The state of a breaker counts at once, even if it lasts only a moment. */
function note(corridor: Corridor): void {
  if (corridor.breaker.state() === 'closed') return;
  corridor.peak = 3;
  corridor.level = worse(corridor.level, 3);
}
