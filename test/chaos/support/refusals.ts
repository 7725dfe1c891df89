/** Bars on how the engine refuses: soon, and with `Retry-After`. */
import { percentiles } from '../../../bench/support/percentiles.ts';
import type { Stage } from './scenario.ts';

const REFUSAL_MS_MAX = 2000;

/** A bar that mutants name. */
export const UNANSWERED = 'attempts that were not answered';

/** Every request is answered, if need be by a refusal, before a client gives up. */
export function barAnswers(stage: Stage): void {
  barRefusals(stage);
  stage.bar(UNANSWERED, stage.ledger.counts.unknown, { exactly: 0 });
}

export function barRefusals({ load, bar }: Pick<Stage, 'load' | 'bar'>): void {
  const { refusals } = load;
  if (refusals.length === 0) return;
  const slow = refusals.filter(({ ms }) => ms > REFUSAL_MS_MAX);
  const mute = refusals.filter(({ hasRetryAfter }) => !hasRetryAfter);
  const slowest = percentiles(refusals.map(({ ms }) => ms)).max;
  bar('slowest refusal, ms', Math.round(slowest), { atMost: REFUSAL_MS_MAX });
  bar(`refusals slower than ${REFUSAL_MS_MAX} ms`, slow.length, { exactly: 0 });
  bar('refusals without Retry-After', mute.length, { exactly: 0 });
}
