/** Controls in force: since when, by whom, why, until when, and the way to end and change them. */
import { useState } from 'react';
import type { KindOfControl, ListedControl, Me } from '../../../../src/kit/client/api-types.ts';
import { has } from '../../api/me.ts';
import { person } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Time } from '../../parts/show.tsx';
import { nameOf as personOf } from '../review/cases.ts';
import { EndDialog, type Preset, SetDialog } from './control-dialog.tsx';
import { Drain } from './drain.tsx';
import { kindName, nameOf, sayValue } from './scopes.ts';

type Asked = { readonly control: ListedControl; readonly isConfirmation: boolean };

type ControlTableProps = {
  readonly market: string;
  readonly rows: readonly ListedControl[];
  readonly kinds: readonly KindOfControl[];
  readonly me: Me;
};

export function ControlTable({ market, rows, kinds, me }: ControlTableProps) {
  const [asked, setAsked] = useState<Asked>();
  const [preset, setPreset] = useState<Preset>();
  const actions: Column<ListedControl> = {
    id: 'actions',
    header: 'Actions',
    cell: (control) => <Actions control={control} me={me} onAsk={setAsked} onChange={setPreset} />,
  };
  const columns = [...columnsOf(market), ...(has(me, 'operator', 'risk_officer') ? [actions] : [])];
  return (
    <>
      <DataTable
        label="In force"
        columns={columns}
        rows={rows}
        keyOf={({ kind, scope, set_by }) => `${kind} ${scope} ${set_by}`}
      />
      {asked === undefined ? null : <EndDialog {...asked} onClose={() => setAsked(undefined)} />}
      {preset === undefined ? null : (
        <SetDialog preset={preset} kinds={kinds} onClose={() => setPreset(undefined)} />
      )}
    </>
  );
}

const columnsOf = (market: string): readonly Column<ListedControl>[] => [
  {
    id: 'control',
    header: 'Control',
    cell: ({ kind, scope, value }) => (
      <span className="wrap">
        <strong>
          {kindName(kind)}: {nameOf(scope)}
        </strong>
        {value === null ? '' : `, ${sayValue(value)}`}
        {kind === 'freeze' ? <Drain market={market} scope={scope} /> : null}
      </span>
    ),
  },
  {
    id: 'since',
    header: 'Since, by',
    cell: ({ set_at: at, set_by: by, reason }) => (
      <span className="wrap">
        <Time at={at} />, {person(by)}: {reason}
      </span>
    ),
  },
  {
    id: 'message',
    header: 'Clients read',
    from: 3,
    cell: ({ message }) => <span className="wrap">{message ?? '–'}</span>,
  },
  {
    id: 'ends',
    header: 'Until',
    cell: ({ ends_at: endsAt }) => (endsAt === null ? 'somebody ends it' : <Time at={endsAt} />),
  },
];

type ActionsProps = {
  readonly control: ListedControl;
  readonly me: Me;
  readonly onAsk: (asked: Asked) => void;
  readonly onChange: (preset: Preset) => void;
};

function Actions({ control, me, onAsk, onChange }: ActionsProps) {
  const { kind, scope, value, proposal, set_by: by } = control;
  if (by === 'environment') return null;
  const named = (action: string) => ({
    'aria-label': `${action} ${kindName(kind)}: ${nameOf(scope)}`,
    type: 'button' as const,
  });
  const isOwn = proposal?.proposed_by === personOf(me);
  return (
    <span className="row">
      {proposal === null ? null : (
        <span className="wrap">
          {proposal.value === null ? 'the end' : sayValue(proposal.value)}, by{' '}
          {person(proposal.proposed_by)}: {proposal.reason}
        </span>
      )}
      {proposal === null || isOwn ? null : (
        <button
          {...named('Confirm')}
          className="primary"
          onClick={() => onAsk({ control, isConfirmation: true })}
        >
          Confirm …
        </button>
      )}
      {isOwn ? <span className="muted wrap">another person confirms it</span> : null}
      {value === null ? null : (
        <button {...named('Change')} onClick={() => onChange({ kind, scope, value })}>
          Change …
        </button>
      )}
      {control.may_end ? (
        <button {...named('End')} onClick={() => onAsk({ control, isConfirmation: false })}>
          End …
        </button>
      ) : (
        <span className="muted wrap">{control.ended_by} ends it</span>
      )}
    </span>
  );
}
