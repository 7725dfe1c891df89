/** Reads the scheduling priority of a process, and whether this process may raise priorities. */
import { existsSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';

/** The niceness of a process within its session, and of the session among sessions. */
export const rank = (niceness: number) => ({ own: niceness, session: niceness });

export function rankOf(pid: number) {
  const own = getPriority(pid);
  const file = `/proc/${pid}/autogroup`;
  if (!existsSync(file)) return rank(own);
  return { own, session: Number(/nice (-?\d+)/.exec(readFileSync(file, 'utf8'))?.[1]) };
}

/** CAP_SYS_NICE, bit 23 of the effective capabilities. */
export function mayRaisePriority(): boolean {
  const [, hex = '0'] = /CapEff:\s+(\w+)/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return ((BigInt(`0x${hex}`) >> 23n) & 1n) === 1n;
}
