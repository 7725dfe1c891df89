/** The changes of a case, newest first. */
import type { CaseChange, ReviewCaseDetail } from '../../../../src/kit/client/api-types.ts';
import { person, words } from '../../format.ts';
import { Time } from '../../parts/show.tsx';

/** Steps in words; `after` has what a step changed. */
const WORDS: Readonly<Record<string, (after: Readonly<Record<string, unknown>>) => string>> = {
  'case.open': () => 'opened it',
  'case.dispute': () => 'made it urgent: a bank disputes it',
  'case.claim': () => 'claimed it',
  'case.release': () => 'released it',
  'case.assign': ({ assignee }) => `assigned it to ${assignee ?? 'nobody'}`,
  'case.escalate': () => 'escalated it',
  'case.note': () => 'wrote a note',
  'case.decide': ({ disposition, decision_reason: reason }) => `decided ${disposition}: ${reason}`,
  'case.confirm': () => 'confirmed it',
  'case.return': () => 'gave it back',
  'case.undo': () => 'took the decision back',
  'case.close': () => 'made it final',
};

export function History({ one: { history } }: { readonly one: ReviewCaseDetail }) {
  return (
    <details className="fold">
      <summary>
        History <span className="muted">{history.length}</span>
      </summary>
      <ol className="history">
        {history.map((change) => (
          <Change key={`${change.changed_at} ${change.action} ${change.who}`} change={change} />
        ))}
      </ol>
    </details>
  );
}

function Change({ change: { changed_at, who, action, after } }: { readonly change: CaseChange }) {
  const what = WORDS[action]?.(after ?? {}) ?? words(action);
  return (
    <li>
      <span className="muted small">
        <Time at={changed_at} />
      </span>
      <span>
        <strong>{person(who)}</strong> {what}
      </span>
    </li>
  );
}
