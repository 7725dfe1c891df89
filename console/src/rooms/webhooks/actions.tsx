/** The actions on a webhook: an operator tests it, an admin does the rest. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useLocation } from 'wouter';
import type { Me, Webhook } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { followUp } from '../../api/follow-up.ts';
import { has } from '../../api/me.ts';
import { Confirm } from '../../parts/dialog.tsx';
import { Trouble } from '../../parts/states.tsx';
import { RotateDialog } from './rotate.tsx';

type WebhookProps = { readonly webhook: Webhook };

export function Actions({ webhook, me }: WebhookProps & { readonly me: Me }) {
  const { webhook_id: id, state } = webhook;
  const client = useQueryClient();
  const test = useMutation({
    mutationFn: () => ask('POST /v1/webhooks/{id}/test', { path: { id } }),
    onSettled: () => client.invalidateQueries({ queryKey: ['webhooks'] }),
  });
  const change = useMutation({
    mutationFn: (paused: boolean) =>
      ask('POST /v1/webhooks/{id}', { path: { id }, body: { paused } }),
    onSettled: () => client.invalidateQueries({ queryKey: ['webhooks'] }),
  });
  const error = test.error ?? change.error;
  return (
    <>
      <div className="row">
        {state === 'disabled' ? null : (
          <button type="button" disabled={test.isPending} onClick={() => test.mutate()}>
            Send a test event
          </button>
        )}
        {has(me, 'admin') ? (
          <>
            <button
              type="button"
              disabled={change.isPending}
              onClick={() => change.mutate(state === 'active')}
            >
              {{ active: 'Pause', paused: 'Resume', disabled: 'Enable' }[state]}
            </button>
            <Rotate webhook={webhook} />
            <Delete webhook={webhook} />
          </>
        ) : null}
      </div>
      {error === null ? null : <Trouble error={error} />}
      {test.data === undefined ? null : (
        <output className="notice">
          {state === 'paused'
            ? 'The test event waits until the webhook is resumed.'
            : 'The test event is sent: the deliveries say what becomes of it.'}
        </output>
      )}
    </>
  );
}

function Rotate({ webhook }: WebhookProps) {
  const [isAsked, setAsked] = useState(false);
  return (
    <>
      <button type="button" onClick={() => setAsked(true)}>
        Rotate the secret …
      </button>
      {isAsked ? <RotateDialog webhook={webhook} onClose={() => setAsked(false)} /> : null}
    </>
  );
}

function Delete({ webhook: { webhook_id: id, url } }: WebhookProps) {
  const client = useQueryClient();
  const [, go] = useLocation();
  const [isAsked, setAsked] = useState(false);
  const remove = useMutation({
    mutationFn: () => ask('DELETE /v1/webhooks/{id}', { path: { id } }),
    onMutate: followUp,
    onSuccess: (_deleted, _none, mayMove) => {
      if (mayMove()) go('/webhooks');
      return client.invalidateQueries({ queryKey: ['webhooks', 'list'] });
    },
  });
  return (
    <>
      <button
        type="button"
        className="danger"
        disabled={remove.isPending}
        onClick={() => setAsked(true)}
      >
        Delete …
      </button>
      {remove.error === null ? null : <Trouble error={remove.error} />}
      {isAsked ? (
        <Confirm
          title="Delete a webhook"
          action="Delete"
          isDangerous
          onConfirm={() => remove.mutate()}
          onClose={() => setAsked(false)}
        >
          <p className="anywhere">
            Nothing more is sent to {url}, what waits neither. Its secret is gone for good. The
            audit log keeps who did it.
          </p>
        </Confirm>
      ) : null}
    </>
  );
}
