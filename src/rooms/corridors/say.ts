/** Stops and limits in words, as people read them in the answers to commands. */
import type { LimitJson } from '../../core/domain/limit.ts';
import type { StopJson } from '../../core/domain/switch.ts';
import type { Row as Fields } from '../../kit/command/output.ts';

/** A stop in a line: by whom, since when, why, until when, what clients read, and how strict a verdict is. */
export function sayStop(stop: StopJson): string {
  const { reason, message, stopped_by, stopped_at, ends_at, value, currency } = stop;
  const until = ends_at === null ? '' : `, until ${ends_at}`;
  const told = message === null ? '' : `; clients read: ${message}`;
  const from = currency === undefined ? '' : `; from ${value} ${currency} on`;
  return `${stopped_by} since ${stopped_at}${until}: ${reason}${told}${from}`;
}

const isStop = (value: unknown): value is StopJson =>
  typeof value === 'object' && value !== null && 'stopped_by' in value && 'scope' in value;

/** Members that are stops as lines. */
export const tellStops = (row: Fields): Fields =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, isStop(value) ? sayStop(value) : value]),
  );

/** A proposal in a line. */
export function sayProposal(proposal: LimitJson['proposal']): string {
  if (proposal === null) return '-';
  const { rate_per_second: rate, burst, proposed_by: by, reason } = proposal;
  const what = rate === null ? 'removal' : `${rate} a second, ${burst} at once,`;
  return `${what} by ${by}: ${reason}`;
}

export const tellLimit = <One extends LimitJson>(limit: One) => ({
  ...limit,
  proposal: sayProposal(limit.proposal),
});
