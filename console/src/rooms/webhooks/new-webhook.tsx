/** Makes a webhook. The secret that signs its events is in the answer alone. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { NewWebhook } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { useCorridorNames } from '../../api/corridors.ts';
import { Checks } from '../../parts/checks.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Field } from '../../parts/field.tsx';
import { Secret } from '../../parts/secret.tsx';
import type { VERDICT_LEVEL } from '../../parts/show.tsx';
import { Trouble } from '../../parts/states.tsx';
import { DECIDED, type Type } from './marks.tsx';

const TYPES = {
  'transaction.decided': 'a transaction was scored',
  'transaction.final_decision': 'a review can no longer be undone',
  'review.deadline_near': 'a case is due within 30 minutes',
  'alert.raised': 'reviews overflow, or a model drifts',
  'approval.waiting': 'something waits for a second person, or figures suggest it',
  'evidence.checkpoint': 'the log of evidence signed a checkpoint',
} as const satisfies Record<Type, string>;
const TYPE_NAMES = Object.keys(TYPES).filter((name): name is Type => name in TYPES);
/** The others belong to the market, not to one client. */
const OF_A_CLIENT: readonly Type[] = [DECIDED, 'transaction.final_decision'];

type VerdictName = keyof typeof VERDICT_LEVEL;
const VERDICTS: readonly VerdictName[] = ['approve', 'review', 'decline'];

export function NewWebhookDialog({ onClose }: { readonly onClose: () => void }) {
  const client = useQueryClient();
  const make = useMutation({
    mutationFn: (body: NewWebhook) => ask('POST /v1/webhooks', { body }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['webhooks'] }),
    // The answer has the secret: it goes with the dialog.
    gcTime: 0,
  });
  return (
    <Dialog
      title={make.data === undefined ? 'Make a webhook' : 'The secret of the webhook'}
      onClose={onClose}
    >
      {make.data === undefined ? (
        <>
          {make.error === null ? null : <Trouble error={make.error} />}
          <WebhookForm isBusy={make.isPending} onMake={(webhook) => make.mutate(webhook)} />
        </>
      ) : (
        <>
          <Secret secret={make.data.secret}>
            The receiver checks by it that an event is from here.
          </Secret>
          <p className="muted small anywhere">Events are sent to {make.data.url}</p>
        </>
      )}
    </Dialog>
  );
}

type WebhookFormProps = {
  readonly isBusy: boolean;
  readonly onMake: (webhook: NewWebhook) => void;
};

function WebhookForm({ isBusy, onMake }: WebhookFormProps) {
  const [url, setUrl] = useState('');
  const [ofClient, setOfClient] = useState('');
  const [types, setTypes] = useState<readonly Type[]>([DECIDED]);
  const [verdicts, setVerdicts] = useState<readonly VerdictName[]>(['review', 'decline']);
  const [corridors, setCorridors] = useState<readonly string[]>([]);
  const names = useCorridorNames();
  const offered = ofClient.trim() === '' ? TYPE_NAMES : OF_A_CLIENT;
  const chosen = types.filter((type) => offered.includes(type));
  const isDecided = chosen.includes(DECIDED);
  const isWhole = chosen.length > 0 && !(isDecided && verdicts.length === 0);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onMake({
      ...{ url: url.trim(), event_types: chosen },
      ...(isDecided ? { verdicts } : {}),
      corridors: corridors.length === 0 ? null : corridors,
      client: ofClient.trim() === '' ? null : ofClient.trim(),
    });
  };
  return (
    <form className="dialog-form" onSubmit={submit}>
      <Field
        {...{ label: 'URL', value: url, onChange: setUrl, isRequired: true }}
        placeholder="https://shop.example/risk-events"
        hint="https, to a public address."
      />
      <Field
        {...{ label: 'Client', value: ofClient, onChange: setOfClient }}
        hint="Only transactions of this client. Empty: all of the market, and its deadlines and alerts."
      />
      <Checks
        {...{ label: 'Events', choices: offered, chosen, onChoose: setTypes, notes: TYPES }}
      />
      {isDecided ? (
        <Checks
          {...{ label: 'Verdicts of transaction.decided', choices: VERDICTS, chosen: verdicts }}
          onChoose={setVerdicts}
          isDense
        />
      ) : null}
      {names.length === 0 ? null : (
        <Checks
          {...{ label: 'Corridors; none chosen: all', choices: names, chosen: corridors }}
          onChoose={setCorridors}
          isDense
        />
      )}
      <div className="row end">
        <button type="submit" className="primary" disabled={isBusy || !isWhole}>
          Make the webhook
        </button>
      </div>
    </form>
  );
}
