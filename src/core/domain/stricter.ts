/** Stricter verdicts that people set for a corridor and a time: scopes in the row of switches. */
import { corridorScope, type Switches } from './switch.ts';

/** `tighten` lowers the thresholds by points; `manual` reviews amounts from a bound on. */
export const STRICTER = ['tighten', 'manual'] as const;
export type Stricter = (typeof STRICTER)[number];

export const stricterScope = (kind: Stricter, corridor: string) =>
  `${kind}:${corridorScope(corridor)}`;

export const isStricterScope = (scope: string) =>
  STRICTER.some((kind) => scope.startsWith(`${kind}:`));

/** The points or the amount that people have set; undefined where there is none. */
export const stricterValue = (switches: Switches, kind: Stricter, corridor: string) =>
  switches.stopped.get(stricterScope(kind, corridor))?.value;
