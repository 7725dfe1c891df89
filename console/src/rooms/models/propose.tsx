/** Proposes the next step of a model; it is in force once another person has approved it. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { ModelDetail } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { useCorridorNames } from '../../api/corridors.ts';
import { Choice, Field } from '../../parts/field.tsx';
import { Trouble } from '../../parts/states.tsx';

/** Everything that a decision about a model may have changed. */
export function useRenew() {
  const client = useQueryClient();
  return () =>
    Promise.all(['model', 'models'].map((key) => client.invalidateQueries({ queryKey: [key] })));
}

/** `canary:5` as `canary 5 %`. */
export function toWords(to: string): string {
  const [state, share] = to.split(':');
  return share === undefined ? to : `${state} ${share} %`;
}

const ALL = 'all';
const STATES = ['shadow', 'canary', 'active'] as const;

export function Propose({ model: { model } }: { readonly model: ModelDetail }) {
  const renew = useRenew();
  const [state, setState] = useState<string>('shadow');
  const [share, setShare] = useState('5');
  const [corridor, setCorridor] = useState('');
  const names = useCorridorNames();
  const chosen = corridor === '' ? (names[0] ?? ALL) : corridor;
  const propose = useMutation({
    mutationFn: () => {
      const to = state === 'canary' ? `canary:${share}` : state;
      const body = { corridor: chosen, to };
      return ask('POST /v1/models/{id}/proposals', { path: { id: model }, body });
    },
    onSuccess: renew,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    propose.mutate();
  };
  return (
    <>
      <form className="filters" onSubmit={submit} aria-label="Propose a step">
        <Choice label="Next step" value={state} onChange={setState}>
          {STATES.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </Choice>
        {state === 'canary' ? (
          <Field
            {...{ label: 'Of the accounts, %', isNumber: true, max: 99, isRequired: true }}
            value={share}
            onChange={setShare}
          />
        ) : null}
        <Choice label="Corridor" value={chosen} onChange={setCorridor}>
          {names.map((one) => (
            <option key={one}>{one}</option>
          ))}
          <option value={ALL}>all corridors</option>
        </Choice>
        <button type="submit" disabled={propose.isPending}>
          Propose
        </button>
      </form>
      {propose.error === null ? null : <Trouble error={propose.error} />}
      {propose.data === undefined ? null : (
        <output className="notice">
          Proposed: {toWords(propose.data.to)} in {propose.data.corridor}. It is in force once
          another risk officer has approved it; you cannot.
        </output>
      )}
    </>
  );
}
