/** Small marks of a case: its priority, the time left, and its state. */
import type { ReviewCase } from '../../../../src/kit/client/api-types.ts';
import { useSecond } from '../../api/clock.ts';
import { timeLeft, utcTime } from '../../format.ts';
import { Badge, type Level } from '../../parts/show.tsx';
import { usePolicy } from './cases.ts';

type Priority = ReviewCase['priority'];
export const PRIORITIES: readonly Priority[] = ['P0', 'P1', 'P2', 'P3', 'P4', 'P5'];

/** The name that the policy in force gives a priority, as `trust verification`. */
export function usePriorityName(priority: Priority | undefined): string {
  const rules = usePolicy().data?.policy.priorities;
  return rules?.find((rule) => `P${rule.priority}` === priority)?.name ?? '';
}

const PRIORITY_LEVELS: Readonly<Record<Priority, Level>> = {
  ...{ P0: 'critical', P1: 'warning', P2: 'warning', P3: 'unknown', P4: 'unknown', P5: 'unknown' },
};

type PriorityProps = { readonly priority: Priority };

export function PriorityBadge({ priority }: PriorityProps) {
  return <Badge level={PRIORITY_LEVELS[priority]}>{priority}</Badge>;
}

export function PriorityName({ priority }: PriorityProps) {
  return <span className="muted small from-2">{usePriorityName(priority)}</span>;
}

export function PriorityMark(props: PriorityProps) {
  return (
    <span className="row chips">
      <PriorityBadge {...props} />
      <PriorityName {...props} />
    </span>
  );
}

/** From here on a deadline is near. */
const NEAR_MS = 30 * 60_000;

/** Counts down; red and below zero once it is late. */
export function TimeLeft({ due }: { readonly due: string }) {
  const leftMs = Date.parse(due) - useSecond();
  const level = leftMs < 0 ? 'late' : leftMs < NEAR_MS ? 'near' : '';
  return (
    <time
      className={`left ${level}`}
      dateTime={due}
      title={`${leftMs < 0 ? 'late since' : 'until'} ${utcTime(due)}`}
    >
      {leftMs < 0 ? '−' : ''}
      {timeLeft(leftMs)}
      {leftMs < 0 ? <span className="hidden"> late</span> : null}
    </time>
  );
}

const STATES: Readonly<Record<ReviewCase['state'], readonly [Level, string]>> = {
  open: ['unknown', 'open'],
  claimed: ['fine', 'claimed'],
  confirming: ['warning', 'to be confirmed'],
  decided: ['fine', 'decided'],
  closed: ['unknown', 'closed'],
};

/** By the state, as its badge says it. */
export const STATE_NAMES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(STATES).map(([state, [, name]]) => [state, name]),
);

export function StateMark({ one: { state, escalated_by } }: { readonly one: ReviewCase }) {
  const [level, name] = STATES[state];
  const isEscalated = escalated_by !== null && (state === 'open' || state === 'claimed');
  return (
    <span className="row chips">
      <Badge level={level}>{name}</Badge>
      {isEscalated ? <Badge level="critical">escalated</Badge> : null}
    </span>
  );
}
