/** A process that goes before the others where they share the processors of one machine. */
import { writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';

/**
 * The API of a machine that everything shares goes first: it uses one processor at most, what it accepted
 * waits in a queue anyway, and a refusal that itself waits for a processor comes late.
 */
export const API_NICENESS = constants.priority.PRIORITY_ABOVE_NORMAL;

/**
 * Linux shares processors out by session first (autogroup), where a process' own niceness counts only
 * within its session: both are set.
 *
 * @param pid the leader of a session of its own
 * @param niceness below zero: before the others
 * @returns false where the machine does not allow it: it takes CAP_SYS_NICE
 */
export function goFirst(pid: number, niceness: number): boolean {
  try {
    setPriority(pid, niceness);
  } catch {
    return false;
  }
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(niceness));
  } catch {
    // A kernel that shares processors out without regard to sessions.
  }
  return true;
}
