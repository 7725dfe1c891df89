import { readFileSync } from 'node:fs';
import type { RiskProcess } from './risk.ts';

/** The role as a child of `risk start`. */
export function rolePid(risk: RiskProcess, role: 'api' | 'worker' | 'trainer'): number {
  const children = readFileSync(`/proc/${risk.pid}/task/${risk.pid}/children`, 'utf8').trim();
  const isRole = (pid: string) =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`cli.ts\0${role}\0`);
  return Number(children.split(' ').find(isRole));
}
