/** Steps with what is rolled out by corridor: one person proposes, another confirms; one alone rolls back. */
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import type { RolloutStage } from '../../../src/kit/client/api-types.ts';
import { useCorridorNames } from '../api/corridors.ts';
import { count, percent } from '../format.ts';
import { type Column, DataTable } from './data-table.tsx';
import { Confirm } from './dialog.tsx';
import { Choice, Field } from './field.tsx';
import { Badge, Time } from './show.tsx';
import { Trouble } from './states.tsx';

/** `canary:5` as `canary 5 %`. */
export function toWords(to: string): string {
  const [state, share] = to.split(':');
  return share === undefined ? to : `${state} ${share} %`;
}

type Step = { readonly corridor: string; readonly to: string };
type Wanted = Step & { readonly override?: string };
type Renew = { readonly renew: () => unknown };

const ALL = 'all';

type ProposeProps = Renew & {
  readonly stage: RolloutStage | null;
  readonly states: readonly string[];
  readonly propose: (wanted: Wanted) => Promise<unknown>;
};

/** Proposes the next step; it is in force once another person has confirmed it. */
export function Propose({ stage, states, propose: send, renew }: ProposeProps) {
  const [state, setState] = useState(states[0] ?? '');
  const [share, setShare] = useState('5');
  const [corridor, setCorridor] = useState('');
  const [override, setOverride] = useState('');
  const names = useCorridorNames();
  const chosen = corridor === '' ? (names[0] ?? ALL) : corridor;
  const propose = useMutation({ mutationFn: send, onSuccess: renew });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const to = state === 'canary' ? `canary:${share}` : state;
    propose.mutate({ corridor: chosen, to, ...(override === '' ? {} : { override }) });
  };
  return (
    <>
      {stage === null ? null : <Stage stage={stage} />}
      <form className="filters" onSubmit={submit} aria-label="Propose a step">
        <Choice label="Next step" value={state} onChange={setState}>
          {states.map((one) => (
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
        {propose.isError || override !== '' || stage?.refusal ? (
          <Field label="Reason to go on early" value={override} onChange={setOverride} />
        ) : null}
        <button type="submit" disabled={propose.isPending}>
          Propose
        </button>
      </form>
      {propose.error === null ? null : <Trouble error={propose.error} />}
      {propose.isSuccess ? (
        <output className="notice">
          Proposed: {toWords(propose.variables.to)} in {propose.variables.corridor}. It is in force
          once another risk officer has confirmed it; you cannot.
        </output>
      ) : null}
    </>
  );
}

const STAGES: Readonly<Record<RolloutStage['stage'], string>> = {
  canary: 'at most 5 % of one corridor',
  corridor: 'one corridor',
  region: 'corridors of one source country',
  all: 'all corridors',
};
const GATES = {
  decided: ['Transactions decided', 'at least'],
  failed: ['Decisions that failed', 'less than'],
  slow: ['Scores beyond the p99 of the stage', 'at most'],
} as const;

type Gate = RolloutStage['gates'][number];
const figure = ({ gate }: Gate, value: number) =>
  gate === 'decided' ? count(value) : percent(value);
const GATE_COLUMNS: readonly Column<Gate>[] = [
  { id: 'gate', header: 'Gate', cell: ({ gate }) => GATES[gate][0] },
  { id: 'corridor', header: 'Corridor', cell: ({ corridor }) => corridor ?? 'all of its own' },
  { id: 'value', header: 'Now', numeric: true, cell: (one) => figure(one, one.value) },
  {
    ...{ id: 'bound', header: 'Bound', numeric: true },
    cell: (one) => `${GATES[one.gate][1]} ${figure(one, one.bound)}`,
  },
  {
    ...{ id: 'holds', header: 'Holds' },
    cell: ({ holds }) => <Badge level={holds ? 'fine' : 'warning'}>{holds ? 'yes' : 'no'}</Badge>,
  },
];

/** How far it decides, how long still, and what must hold before it decides more. */
function Stage({
  stage: { stage, since, ends_at, gates, refusal },
}: {
  readonly stage: RolloutStage;
}) {
  return (
    <>
      <p>
        Stage <strong>{stage}</strong>, {STAGES[stage]}, since <Time at={since} />.{' '}
        {ends_at === null ? null : (
          <>
            Its dwell time ends <Time at={ends_at} />.
          </>
        )}
      </p>
      {gates.length === 0 ? null : (
        <DataTable
          label="Gates"
          columns={GATE_COLUMNS}
          rows={gates}
          keyOf={({ gate, corridor }) => `${gate} ${corridor}`}
        />
      )}
      {refusal === null ? null : (
        <p className="notice">
          The next stage is refused, unless two people go on early: {refusal}.
        </p>
      )}
    </>
  );
}

type RollBackProps = Renew & {
  /** Where it decides. */
  readonly corridors: readonly string[];
  readonly rollBack: (corridor: string) => Promise<unknown>;
  /** The effect in a corridor, as a sentence. */
  readonly children: (corridor: string) => ReactNode;
};

/** Where it decides, one person ends that at once. */
export function RollBack({ corridors, rollBack: send, renew, children }: RollBackProps) {
  const [asked, setAsked] = useState<string>();
  const rollBack = useMutation({ mutationFn: send, onSettled: renew });
  if (corridors.length === 0 && rollBack.isIdle) return null;
  return (
    <>
      {rollBack.error === null ? null : <Trouble error={rollBack.error} />}
      <div className="row">
        {corridors.map((corridor) => (
          <button
            key={corridor}
            type="button"
            className="danger"
            disabled={rollBack.isPending}
            onClick={() => setAsked(corridor)}
          >
            Roll back {corridor}
          </button>
        ))}
        {rollBack.isSuccess ? <output>Rolled back.</output> : null}
      </div>
      {asked === undefined ? null : (
        <Confirm
          title={`Roll back ${asked}`}
          action="Roll back"
          isDangerous
          onConfirm={() => rollBack.mutate(asked)}
          onClose={() => setAsked(undefined)}
        >
          <p>{children(asked)}</p>
        </Confirm>
      )}
    </>
  );
}
