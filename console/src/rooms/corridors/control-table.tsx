/** Controls in force: since when, by whom, why, until when, and the way to end and change them. */
import { useState } from 'react';
import type { KindOfControl, ListedControl, Me } from '../../../../src/kit/client/api-types.ts';
import { has } from '../../api/me.ts';
import { person } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Time } from '../../parts/show.tsx';
import { EndDialog, type Preset, SetDialog } from './control-dialog.tsx';
import { Drain } from './drain.tsx';
import { kindName, nameOf, sayValue } from './scopes.ts';

type ControlTableProps = {
  readonly market: string;
  readonly rows: readonly ListedControl[];
  readonly kinds: readonly KindOfControl[];
  readonly me: Me;
};

export function ControlTable({ market, rows, kinds, me }: ControlTableProps) {
  const [asked, setAsked] = useState<ListedControl>();
  const [preset, setPreset] = useState<Preset>();
  const actions: Column<ListedControl> = {
    id: 'actions',
    header: 'Actions',
    cell: (control) => <Actions control={control} onAsk={setAsked} onChange={setPreset} />,
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
      {asked === undefined ? null : (
        <EndDialog control={asked} onClose={() => setAsked(undefined)} />
      )}
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
  readonly onAsk: (asked: ListedControl) => void;
  readonly onChange: (preset: Preset) => void;
};

function Actions({ control, onAsk, onChange }: ActionsProps) {
  const { kind, scope, value, set_by: by } = control;
  if (by === 'environment') return null;
  const named = (action: string) => ({
    'aria-label': `${action} ${kindName(kind)}: ${nameOf(scope)}`,
    type: 'button' as const,
  });
  return (
    <span className="row">
      {value === null ? null : (
        <button {...named('Change')} onClick={() => onChange({ kind, scope, value })}>
          Change …
        </button>
      )}
      {control.may_end ? (
        <button {...named('End')} onClick={() => onAsk(control)}>
          End …
        </button>
      ) : (
        <span className="muted wrap">{control.ended_by} ends it</span>
      )}
    </span>
  );
}
