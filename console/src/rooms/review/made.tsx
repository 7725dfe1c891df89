/** A decision that was made: by whom and why, whether it can be undone, and the second person's part. */
import type { ReactNode } from 'react';
import type { Me, ReviewCaseDetail } from '../../../../src/kit/client/api-types.ts';
import { useSecondsUntil } from '../../api/clock.ts';
import { person } from '../../format.ts';
import { Badge, Time } from '../../parts/show.tsx';
import { useShortcuts } from '../../shell/shortcuts.ts';
import { isOfficer, nameOf } from './cases.ts';
import { DISPOSITION_LEVELS } from './dispositions.ts';
import { SecondPerson } from './second-person.tsx';
import { useUndoable } from './undo-store.ts';

type MadeProps = {
  readonly one: ReviewCaseDetail;
  readonly me: Me;
  readonly isBusy: boolean;
  readonly onConfirm: () => void;
  readonly onReturn: () => void;
  readonly onUndo: () => void;
};

export function Made({ one, me, isBusy, onConfirm, onReturn, onUndo }: MadeProps) {
  const { decision, state, transaction_id: id } = one;
  const finalAt = decision?.final_at ?? null;
  const seconds = useSecondsUntil(finalAt === null ? null : Date.parse(finalAt));
  // The key undoes the last decision of this tab, whichever case is shown.
  const isKeyed = useUndoable()?.cases.some((other) => other.transaction_id === id) ?? false;
  const name = nameOf(me);
  const mayConfirm = isOfficer(me) && decision?.decided_by !== name;
  useShortcuts({ y: () => state === 'confirming' && mayConfirm && !isBusy && onConfirm() });
  if (decision === null) return null;
  const isTheirs = decision.decided_by === name || decision.confirmed_by === name;
  const mayUndo = isTheirs && state !== 'closed' && seconds !== 0;
  return (
    <div className="made">
      <p className="row">
        <Badge level={DISPOSITION_LEVELS[decision.disposition]}>{decision.disposition}</Badge>
        <span>
          by <strong>{person(decision.decided_by)}</strong>, <Time at={decision.decided_at} />
        </span>
      </p>
      <q>{decision.reason}</q>
      {decision.confirmed_by === null ? null : (
        <p>
          Confirmed by <strong>{person(decision.confirmed_by)}</strong>
        </p>
      )}
      {state === 'confirming' ? (
        <SecondPart
          isFirst={decision.decided_by === name}
          mayConfirm={isOfficer(me)}
          why={<SecondPerson one={one} />}
        >
          <button type="button" className="primary" disabled={isBusy} onClick={onConfirm}>
            Confirm {decision.disposition} <kbd>y</kbd>
          </button>
          <button type="button" disabled={isBusy} onClick={onReturn}>
            Give it back …
          </button>
        </SecondPart>
      ) : null}
      {mayUndo ? (
        <p className="row">
          <button type="button" disabled={isBusy} onClick={onUndo}>
            Undo {isKeyed ? <kbd>z</kbd> : null}
          </button>
          <span className="muted">
            {seconds === null ? 'until somebody confirms it' : `for ${seconds} s`}
          </span>
        </p>
      ) : null}
      {state === 'decided' && !mayUndo ? <p className="muted">It becomes final.</p> : null}
      {state === 'closed' ? (
        <p className="muted">
          Final since <Time at={one.closed_at} />
        </p>
      ) : null}
    </div>
  );
}

type SecondPartProps = {
  readonly isFirst: boolean;
  readonly mayConfirm: boolean;
  readonly why: ReactNode;
  readonly children: ReactNode;
};

function SecondPart({ isFirst, mayConfirm, why, children }: SecondPartProps) {
  return (
    <>
      {why}
      {isFirst ? (
        <p>It waits for another person with the role risk officer, who confirms it on this page.</p>
      ) : mayConfirm ? (
        <div className="row">{children}</div>
      ) : (
        <p>A risk officer has to confirm it on this page.</p>
      )}
    </>
  );
}
