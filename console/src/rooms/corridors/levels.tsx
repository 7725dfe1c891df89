/** Levels of degradation of the market and of each corridor, with what people have set by hand. */
import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import type { DegradationLevel } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { CONTROLS } from '../../api/controls.ts';
import { usePolling } from '../../api/presence.ts';
import { person } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Part } from '../../parts/page.tsx';
import { Badge, Time } from '../../parts/show.tsx';
import { Found } from '../../parts/states.tsx';
import { nameOf } from './scopes.ts';

const ASK_EVERY_MS = 5000;
const CORRIDOR = 'corridor:';

export function LevelsPart() {
  const query = useQuery({
    queryKey: [...CONTROLS, 'levels'],
    queryFn: ({ signal }) => ask('GET /v1/degradation', {}, signal),
    refetchInterval: usePolling(ASK_EVERY_MS),
  });
  return (
    <Part title="Levels of degradation">
      <Found query={query} what="levels">
        {({ items }) => (
          <DataTable
            label="Levels of degradation"
            columns={COLUMNS}
            rows={items}
            keyOf={({ scope }) => scope}
          />
        )}
      </Found>
    </Part>
  );
}

const COLUMNS: readonly Column<DegradationLevel>[] = [
  { id: 'scope', header: 'Scope', cell: ({ scope }) => <Scope scope={scope} /> },
  {
    id: 'level',
    header: 'Level',
    cell: ({ level }) => (
      <Badge level={level === 0 ? 'fine' : level === 1 ? 'warning' : 'critical'}>{level}</Badge>
    ),
  },
  {
    id: 'sentence',
    header: 'Meaning',
    cell: ({ sentence }) => <span className="wrap">{sentence}</span>,
  },
  {
    id: 'hand',
    header: 'Set by hand',
    from: 2,
    cell: ({ by_hand }) => <ByHand control={by_hand} />,
  },
];

function Scope({ scope }: { readonly scope: string }) {
  if (!scope.startsWith(CORRIDOR)) return <strong>{nameOf(scope)}</strong>;
  const id = scope.slice(CORRIDOR.length);
  return <Link href={`/corridors/${encodeURIComponent(id)}`}>{id}</Link>;
}

function ByHand({ control }: { readonly control: DegradationLevel['by_hand'] }) {
  if (control === null) return '–';
  return (
    <span className="wrap">
      <Time at={control.set_at} />, {person(control.set_by)}: {control.reason}
      {control.ends_at === null ? '' : ', until '}
      {control.ends_at === null ? null : <Time at={control.ends_at} />}
    </span>
  );
}
