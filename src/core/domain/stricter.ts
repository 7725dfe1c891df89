/** Stricter verdicts that people set for a corridor and a time: scopes in the row of switches. */
import { corridorScope, type Switches } from './switch.ts';

/** `tighten` lowers the thresholds by points; `manual` reviews amounts from a bound on. */
export const STRICTER = ['tighten', 'manual'] as const;
export type Stricter = (typeof STRICTER)[number];

export const stricterScope = (kind: Stricter, corridor: string) =>
  `${kind}:${corridorScope(corridor)}`;

export const isStricterScope = (scope: string) =>
  STRICTER.some((kind) => scope.startsWith(`${kind}:`));

/** The points that people have set; 0 where there are none. */
export const tightenedBy = ({ stopped }: Switches, corridor: string): number =>
  stopped.get(stricterScope('tighten', corridor))?.value ?? 0;

/** The amount from which payments in a currency are reviewed. */
export type ManualFrom = { readonly amount: number; readonly currency: string };

/** Finds the amount by the currency of a payment; a payment in a currency without an exchange rate may be worth any amount. */
export function manualOf(
  { stopped }: Switches,
  corridor: string,
): ((currency: string) => ManualFrom) | undefined {
  const { amounts } = stopped.get(stricterScope('manual', corridor)) ?? {};
  if (amounts === undefined) return undefined;
  return (currency) => ({ amount: amounts[currency] ?? 0, currency });
}
