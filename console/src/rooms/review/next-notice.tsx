/** The outcome of the wish for the next case, where the page of that case was not opened. */
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { Refusal } from '../../api/ask.ts';
import { money } from '../../format.ts';
import { caseLink, type NextCase } from './next-case.ts';
import { Refused } from './refused.tsx';

type NextNoticeProps = {
  readonly next: NextCase;
  /** Says that nothing waits. */
  readonly children: ReactNode;
};

export function NextNotice({ next, children }: NextNoticeProps) {
  const { claimed, error, filter, reset } = next;
  if (error instanceof Refusal) return <Refused error={error} onClose={reset} />;
  if (error === null && claimed === undefined) return null;
  if (claimed === null) return <output className="notice row">{children}</output>;
  return (
    <div className="refused" role="alert">
      <p>
        {claimed === undefined
          ? 'No answer came, so it is unknown whether a case is claimed for you.'
          : `The answer came late: the case of ${claimed.account_id}, ${money(claimed.amount, claimed.currency)}, is claimed for you.`}
      </p>
      <div className="row">
        {claimed === undefined ? (
          <Link href="/review?with=claimed+by+me" onClick={reset}>
            Cases claimed by me
          </Link>
        ) : (
          <Link href={caseLink(claimed.transaction_id, filter)}>Open it</Link>
        )}
        <button type="button" onClick={reset}>
          Close
        </button>
      </div>
    </div>
  );
}
