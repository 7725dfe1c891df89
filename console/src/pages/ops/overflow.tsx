/** The overflow rules that are met, and what they propose: the engine escalates, and people decide the rest. */
import type { ReviewStatus } from '../../../../src/client/api-types.ts';
import { count, duration } from '../../format.ts';
import { Part } from '../../parts/page.tsx';
import { Badge } from '../../parts/show.tsx';

const ACTIONS: Readonly<Record<string, string>> = {
  alert: 'Alerts operators',
  call_all_hands: 'Proposes to call all hands',
  escalate: 'Has escalated them to the risk officers',
  propose_throttle: 'Proposes to throttle the corridor',
  propose_tighter_auto_clear: 'Proposes a tighter auto-clear',
};

export function Overflow({ status: { overflow } }: { readonly status: ReviewStatus }) {
  if (overflow.length === 0) return null;
  return (
    <Part title="Overflow">
      <ul className="overflow" aria-label="Overflow rules that are met">
        {overflow.map(({ priority, older_than_minutes: minutes, actions, cases }) => (
          <li key={`${priority} ${minutes}`}>
            <Badge level="critical">{priority}</Badge>
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
    </Part>
  );
}
