/** The rollback of a frozen market: one person requests it, another approves, and a command carries it out. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Me, RollbackRequest } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { CONTROLS } from '../../api/controls.ts';
import { has } from '../../api/me.ts';
import { person } from '../../format.ts';
import { Part } from '../../parts/page.tsx';
import { Time } from '../../parts/show.tsx';
import { Found } from '../../parts/states.tsx';
import { nameOf as personOf } from '../review/cases.ts';
import { ChangeDialog } from './change-dialog.tsx';

type RollbackProps = { readonly market: string; readonly me: Me };

export function RollbackPart({ market, me }: RollbackProps) {
  const query = useQuery({
    queryKey: [...CONTROLS, 'rollback', market],
    queryFn: ({ signal }) => ask('GET /v1/markets/{id}/rollback', { path: { id: market } }, signal),
  });
  const [isAsked, setAsked] = useState(false);
  const isOfficer = has(me, 'risk_officer') || me.roles.includes('admin');
  return (
    <Part title={`Rollback of ${market}`}>
      <Found query={query} what="the request">
        {({ request }) => (
          <>
            <p className="wrap">{request === null ? FREE : <Requested request={request} />}</p>
            {isOfficer && mayAct(request, personOf(me)) ? (
              <div className="row">
                <button type="button" className="danger" onClick={() => setAsked(true)}>
                  {actionOf(request)} …
                </button>
              </div>
            ) : null}
            {isAsked ? (
              <ChangeDialog
                title={`${actionOf(request)}: ${market}`}
                action={actionOf(request)}
                isDangerous
                onSend={(reason, signal) =>
                  ask(
                    'POST /v1/markets/{id}/rollback',
                    { path: { id: market }, body: { reason } },
                    signal,
                  )
                }
                onClose={() => setAsked(false)}
              >
                <p>
                  Nothing is deleted by this. Once another person has approved, the command archives
                  the market and then drops it. A resume voids the request.
                </p>
              </ChangeDialog>
            ) : null}
          </>
        )}
      </Found>
    </Part>
  );
}

const FREE = 'Nobody has requested that this frozen market is archived and dropped.';
const actionOf = (request: RollbackRequest | null) =>
  request === null ? 'Request the rollback' : 'Approve the rollback';

const mayAct = (request: RollbackRequest | null, me: string) =>
  request === null || (request.state === 'requested' && request.requested_by !== me);

function Requested({ request }: { readonly request: RollbackRequest }) {
  const { market, requested_by: by, requested_at: at, approved_by: other } = request;
  return (
    <>
      {person(by)} requested the rollback at <Time at={at} />.{' '}
      {other === null ? (
        'Another risk officer or admin approves it.'
      ) : (
        <>
          {person(other)} approved it at <Time at={request.approved_at} />. An operator carries it
          out: <code>risk archive rollback {market}</code>
        </>
      )}
    </>
  );
}
