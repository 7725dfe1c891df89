/** Raises a process' CPU priority over others on the same machine. */
import { existsSync, writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';

/**
 * CPU niceness of an API that shares a machine: it is single-threaded, so it takes one processor at most, and a
 * late 503 defeats load shedding.
 */
export const API_NICENESS = constants.priority.PRIORITY_ABOVE_NORMAL;

/**
 * Sets the niceness of a process and of its session: Linux shares processors out by session first (autogroup),
 * and a process' own niceness counts only within its session.
 * @param pid the leader of a session of its own
 * @param niceness below zero: raises the priority
 * @returns false where the machine does not allow it: it takes CAP_SYS_NICE
 */
export function raisePriority(pid: number, niceness: number): boolean {
  const ofSession = `/proc/${pid}/autogroup`;
  try {
    setPriority(pid, niceness);
    // A kernel without autogroup shares processors out without regard to sessions.
    if (existsSync(ofSession)) writeFileSync(ofSession, String(niceness));
    return true;
  } catch {
    return false;
  }
}
