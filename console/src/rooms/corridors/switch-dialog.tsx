/** Stops a scope, or starts it again, with a reason. */
import { useState } from 'react';
import type { Stop } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { useCorridorNames } from '../../api/corridors.ts';
import { Choice, Field } from '../../parts/field.tsx';
import { ChangeDialog } from './change-dialog.tsx';
import { nameOf } from './scopes.ts';
import { useStopFields } from './stop-fields.tsx';

export type Change =
  | { readonly stops: 'corridor' | 'market' | 'client' }
  | { readonly starts: Stop };

type SwitchDialogProps = { readonly change: Change; readonly onClose: () => void };

export function SwitchDialog({ change, onClose }: SwitchDialogProps) {
  const { fields, said } = useStopFields(
    'What refused clients read. Empty: that the scope is stopped.',
    'Empty: when somebody starts it.',
  );
  const [name, setName] = useState('');
  const isStop = 'stops' in change;
  const scope = scopeOf(change, name.trim());
  const send = (reason: string, signal: AbortSignal) => {
    const body = { stopped: isStop, reason, ...(isStop ? said() : {}) };
    return ask('PUT /v1/switches/{scope}', { path: { scope: scope ?? '' }, body }, signal);
  };
  return (
    <ChangeDialog
      title={isStop ? TITLES[change.stops] : `Start: ${nameOf(change.starts.scope)}`}
      action={isStop ? 'Stop' : 'Start'}
      isDangerous={isStop}
      isBlocked={scope === undefined}
      more={isStop ? fields : null}
      onSend={send}
      onClose={onClose}
    >
      {isStop ? <Scope kind={change.stops} name={name} onName={setName} /> : null}
    </ChangeDialog>
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

type ScopeProps = {
  readonly kind: keyof typeof TITLES;
  readonly name: string;
  readonly onName: (name: string) => void;
};

function Scope({ kind, name, onName }: ScopeProps) {
  const corridors = useCorridorNames();
  if (kind === 'market') return <p>No corridor of this market accepts or scores any more.</p>;
  if (kind === 'client') {
    return (
      <>
        <p>New transactions of the client are refused, and accepted ones are scored.</p>
        <Field label="Client" value={name} onChange={onName} isRequired />
      </>
    );
  }
  return (
    <>
      <p>
        New transactions of the corridor are refused, and accepted ones wait without a score until
        somebody starts the corridor again.
      </p>
      <Choice label="Corridor" value={name} onChange={onName}>
        <option value="">Choose one</option>
        {corridors.map((corridor) => (
          <option key={corridor}>{corridor}</option>
        ))}
      </Choice>
    </>
  );
}
