/** How much the market, corridors, clients and keys may send, which raise waits for another person, and the way to change it. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { LimitOfAll, Me } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { has } from '../../api/me.ts';
import { SWITCHES } from '../../api/switches.ts';
import { count, number, person } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Part } from '../../parts/page.tsx';
import { Time } from '../../parts/show.tsx';
import { Empty, Found } from '../../parts/states.tsx';
import { useShortcuts } from '../../shell/shortcuts.ts';
import { nameOf as personOf } from '../review/cases.ts';
import { type LimitChange, LimitDialog } from './limit-dialog.tsx';
import { nameOf } from './scopes.ts';

export function LimitsPart({ me }: { readonly me: Me }) {
  const query = useQuery({
    queryKey: [...SWITCHES, 'limits'],
    queryFn: ({ signal }) => ask('GET /v1/limits', {}, signal),
  });
  const [change, setChange] = useState<LimitChange>();
  const mayChange = has(me, 'operator', 'risk_officer');
  useShortcuts(mayChange ? { i: () => setChange('new') } : {});
  const button = (
    <button type="button" onClick={() => setChange('new')}>
      Set a limit … <kbd>i</kbd>
    </button>
  );
  const columns = mayChange ? [...COLUMNS, actionsOf(personOf(me), setChange)] : COLUMNS;
  return (
    <Part title="Limits" aside={mayChange ? button : undefined}>
      <Found query={query} what="limits">
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="Nothing is limited">
              A limit says how much a market, a corridor, a client or a key may send.
            </Empty>
          ) : (
            <DataTable
              label="Limits"
              columns={columns}
              rows={items}
              keyOf={({ scope, kind }) => `${scope} ${kind}`}
            />
          )
        }
      </Found>
      {change === undefined ? null : (
        <LimitDialog change={change} onClose={() => setChange(undefined)} />
      )}
    </Part>
  );
}

const rateOf = (perSecond: number, burst: number) =>
  `${number(perSecond)} a second, burst ${count(burst)}`;

const COLUMNS: readonly Column<LimitOfAll>[] = [
  { id: 'scope', header: 'Limited', cell: ({ scope }) => <strong>{nameOf(scope)}</strong> },
  {
    id: 'limit',
    header: 'Limit',
    cell: (one) => (
      <span className="wrap">
        {one.kind}: {rateOf(one.rate_per_second, one.burst)}
        {one.ends_at === null ? null : (
          <>
            , until <Time at={one.ends_at} />
          </>
        )}
      </span>
    ),
  },
  {
    id: 'set',
    header: 'Set',
    from: 2,
    cell: (one) => (
      <span className="wrap">
        <Time at={one.set_at} />, {person(one.set_by)}: {one.reason}
      </span>
    ),
  },
  { id: 'proposal', header: 'Proposed', cell: (one) => <Proposal proposal={one.proposal} /> },
];

function Proposal({ proposal }: Pick<LimitOfAll, 'proposal'>) {
  if (proposal === null) return '–';
  const { rate_per_second: rate, burst, proposed_by: by, reason } = proposal;
  return (
    <span className="wrap">
      {rate === null || burst === null ? 'no limit' : rateOf(rate, burst)}, by {person(by)}:{' '}
      {reason}
    </span>
  );
}

const actionsOf = (me: string, onChange: (change: LimitChange) => void): Column<LimitOfAll> => ({
  id: 'actions',
  header: 'Actions',
  cell: (limit) => {
    const named = (action: string) => ({
      'aria-label': `${action} ${nameOf(limit.scope)}, ${limit.kind}`,
      type: 'button' as const,
    });
    const { proposal } = limit;
    return (
      <span className="row">
        {proposal === null || proposal.proposed_by === me ? null : (
          <button
            {...named('Confirm')}
            className="primary"
            onClick={() => onChange({ confirm: limit })}
          >
            Confirm …
          </button>
        )}
        {proposal?.proposed_by === me ? (
          <span className="muted wrap">another person confirms it</span>
        ) : null}
        <button {...named('Change')} onClick={() => onChange({ change: limit })}>
          Change …
        </button>
        <button {...named('Remove')} onClick={() => onChange({ remove: limit })}>
          Remove …
        </button>
      </span>
    );
  },
});
