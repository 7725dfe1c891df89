/** Stops a scope, or starts it again, with a reason. A refusal stands in the dialog, in the words of the API. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { Stop, SwitchCommand } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { useCorridorNames } from '../../api/corridors.ts';
import { SWITCHES } from '../../api/switches.ts';
import { Modal } from '../../parts/dialog.tsx';
import { Choice, Field } from '../../parts/field.tsx';
import { Trouble } from '../../parts/states.tsx';
import { nameOf } from './scopes.ts';

/** A switch is changed within a second, and half a second later where a store has to be ended. */
const ANSWER_MS = 10_000;
const MINUTE_MS = 60_000;

export type Change =
  | { readonly stops: 'corridor' | 'market' | 'client' }
  | { readonly starts: Stop };

type SwitchDialogProps = { readonly change: Change; readonly onClose: () => void };

export function SwitchDialog({ change, onClose }: SwitchDialogProps) {
  const client = useQueryClient();
  const put = useMutation({
    mutationFn: ({ scope, body }: { readonly scope: string; readonly body: SwitchCommand }) =>
      ask('PUT /v1/switches/{scope}', { path: { scope }, body }, AbortSignal.timeout(ANSWER_MS)),
    networkMode: 'always',
    onSuccess: () => {
      onClose();
      return client.invalidateQueries({ queryKey: SWITCHES });
    },
  });
  const [reason, setReason] = useState('');
  const [message, setMessage] = useState('');
  const [minutes, setMinutes] = useState('');
  const [name, setName] = useState('');
  const isStop = 'stops' in change;
  const scope = scopeOf(change, name.trim());
  const isReady = reason.trim() !== '' && scope !== undefined && !put.isPending;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!isReady) return;
    const body = { stopped: isStop, reason: reason.trim() };
    put.mutate({ scope, body: isStop ? { ...body, ...moreOf(message, minutes) } : body });
  };
  return (
    <Modal
      title={isStop ? TITLES[change.stops] : `Start: ${nameOf(change.starts.scope)}`}
      isHeld={put.isPending}
      onClose={onClose}
    >
      <form className="dialog-form" onSubmit={submit}>
        {isStop ? <Scope kind={change.stops} name={name} onName={setName} /> : null}
        <Field
          label="Reason"
          value={reason}
          onChange={setReason}
          isRequired
          hint="For colleagues and the audit log."
        />
        {isStop ? (
          <>
            <Field
              label="Message"
              value={message}
              onChange={setMessage}
              hint="What refused clients read. Empty: that the scope is stopped."
            />
            <Field
              label="Ends after minutes"
              value={minutes}
              onChange={setMinutes}
              isNumber
              hint="Empty: when somebody starts it."
            />
          </>
        ) : null}
        {put.error === null ? null : <Trouble error={put.error} />}
        <div className="row end">
          <button type="button" disabled={put.isPending} onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className={isStop ? 'danger' : 'primary'} disabled={!isReady}>
            {put.isPending ? 'Sending …' : isStop ? 'Stop' : 'Start'}
          </button>
        </div>
      </form>
    </Modal>
  );
}

const TITLES = {
  corridor: 'Stop a corridor',
  market: 'Stop the market',
  client: 'Stop a client',
} as const;

/** Undefined until it is chosen. */
function scopeOf(change: Change, name: string): string | undefined {
  if ('starts' in change) return change.starts.scope;
  if (change.stops === 'market') return 'market';
  return name === '' ? undefined : `${change.stops}:${name}`;
}

function moreOf(message: string, minutes: string): Pick<SwitchCommand, 'message' | 'ends_at'> {
  const endsAtMs = Date.now() + Number(minutes) * MINUTE_MS;
  return {
    message: message.trim() === '' ? undefined : message.trim(),
    ends_at: minutes === '' ? undefined : new Date(endsAtMs).toISOString(),
  };
}

type ScopeProps = {
  readonly kind: keyof typeof TITLES;
  readonly name: string;
  readonly onName: (name: string) => void;
};

function Scope({ kind, name, onName }: ScopeProps) {
  const corridors = useCorridorNames();
  if (kind === 'market') return <p>No corridor of this market accepts or scores any more.</p>;
  if (kind === 'client') {
    return <Field label="Client" value={name} onChange={onName} isRequired />;
  }
  return (
    <Choice label="Corridor" value={name} onChange={onName}>
      <option value="">Choose one</option>
      {corridors.map((corridor) => (
        <option key={corridor}>{corridor}</option>
      ))}
    </Choice>
  );
}
