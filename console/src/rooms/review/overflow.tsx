/** The overflow rules that are met, and what they suggest: the engine escalates, and people decide the rest. */
import type { ReviewStatus } from '../../../../src/kit/client/api-types.ts';
import { count, duration } from '../../format.ts';
import { PriorityMark } from './marks.tsx';

const ACTIONS: Readonly<Record<string, string>> = {
  alert: 'Operators are alerted',
  call_all_hands: 'The policy calls all hands',
  escalate: 'The engine has escalated to the risk officers',
  suggest_throttle: 'The policy suggests to throttle the corridor',
  suggest_tightening: 'The policy suggests to tighten the corridor',
};

export function Overflow({ status }: { readonly status: ReviewStatus | undefined }) {
  if (status === undefined || status.overflow.length === 0) return null;
  return (
    <ul className="overflow" aria-label="Overflow rules that are met">
      {status.overflow.map(({ priority, older_than_minutes: minutes, actions, cases }) => (
        <li key={`${priority} ${minutes}`}>
          <PriorityMark priority={priority} />
          <span>
            <strong>
              {count(cases)} {cases === 1 ? 'case is' : 'cases are'} older than{' '}
              {duration(minutes * 60)}
            </strong>
            <span className="muted">{actions.map((one) => ACTIONS[one] ?? one).join('. ')}.</span>
          </span>
        </li>
      ))}
    </ul>
  );
}
