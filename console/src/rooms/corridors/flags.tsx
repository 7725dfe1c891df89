/** Optional capabilities, which are off and why, and the way to turn them off and on. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Flag, Me } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { has } from '../../api/me.ts';
import { SWITCHES } from '../../api/switches.ts';
import { person } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Part } from '../../parts/page.tsx';
import { Badge, Time } from '../../parts/show.tsx';
import { Found } from '../../parts/states.tsx';
import { ChangeDialog } from './change-dialog.tsx';

export function FlagsPart({ me }: { readonly me: Me }) {
  const query = useQuery({
    queryKey: [...SWITCHES, 'flags'],
    queryFn: ({ signal }) => ask('GET /v1/flags', {}, signal),
  });
  const [flag, setFlag] = useState<Flag>();
  const mayChange = has(me, 'operator', 'risk_officer');
  return (
    <Part title="Flags">
      <Found query={query} what="flags">
        {({ items }) => (
          <DataTable
            label="Flags"
            columns={mayChange ? [...COLUMNS, turnColumn(setFlag)] : COLUMNS}
            rows={items}
            keyOf={({ name }) => name}
          />
        )}
      </Found>
      {flag === undefined ? null : (
        <ChangeDialog
          title={titleOf(flag)}
          action={flag.enabled ? 'Turn off' : 'Turn on'}
          isDangerous={flag.enabled}
          onSend={(reason, signal) => {
            const body = { enabled: !flag.enabled, reason };
            return ask('PUT /v1/flags/{name}', { path: { name: flag.name }, body }, signal);
          }}
          onClose={() => setFlag(undefined)}
        >
          <p>{flag.description}</p>
        </ChangeDialog>
      )}
    </Part>
  );
}

const titleOf = ({ name, enabled }: Flag) => `Turn ${enabled ? 'off' : 'on'}: ${name}`;

const COLUMNS: readonly Column<Flag>[] = [
  { id: 'name', header: 'Flag', cell: ({ name }) => <strong>{name}</strong> },
  {
    id: 'what',
    header: 'What',
    from: 2,
    cell: ({ description }) => <span className="wrap">{description.replaceAll('`', '')}</span>,
  },
  { id: 'state', header: 'State', cell: ({ off }) => <State off={off} /> },
];

function State({ off }: Pick<Flag, 'off'>) {
  if (off === null) return <Badge level="fine">on</Badge>;
  return (
    <span className="wrap">
      <Badge level="warning">off</Badge> since <Time at={off.stopped_at} />,{' '}
      {person(off.stopped_by)}: {off.reason}
    </span>
  );
}

const turnColumn = (onTurn: (flag: Flag) => void): Column<Flag> => ({
  id: 'turn',
  header: 'Actions',
  cell: (flag) => (
    <button type="button" aria-label={titleOf(flag)} onClick={() => onTurn(flag)}>
      Turn {flag.enabled ? 'off' : 'on'} …
    </button>
  ),
});
