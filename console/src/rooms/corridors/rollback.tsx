/** The rollback of a frozen market: one person requests it, another confirms, and a command carries it out. */
import { useState } from 'react';
import type { Me } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { has } from '../../api/me.ts';
import { Part } from '../../parts/page.tsx';
import { ChangeDialog } from './change-dialog.tsx';

type RollbackProps = { readonly market: string; readonly me: Me };

export function RollbackPart({ market, me }: RollbackProps) {
  const [isAsked, setAsked] = useState(false);
  return (
    <Part title={`Rollback of ${market}`}>
      <p className="wrap">
        Once two people agree, an operator archives this frozen market and drops it:{' '}
        <code>risk archive rollback {market}</code>
      </p>
      {has(me, 'risk_officer') || me.roles.includes('admin') ? (
        <div className="row">
          <button type="button" className="danger" onClick={() => setAsked(true)}>
            Request the rollback …
          </button>
        </div>
      ) : null}
      {isAsked ? (
        <ChangeDialog
          title={`Request the rollback: ${market}`}
          action="Request the rollback"
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
            Nothing is deleted by this. Once another person has confirmed, the command archives the
            market and then drops it. A resume voids the request.
          </p>
        </ChangeDialog>
      ) : null}
    </Part>
  );
}
