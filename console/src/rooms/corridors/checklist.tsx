/** Whether a corridor is independent of others and ready to launch, with what each check found. */
import { useQuery } from '@tanstack/react-query';
import type { CorridorChecklist } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { CONTROLS } from '../../api/controls.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Part } from '../../parts/page.tsx';
import { Badge } from '../../parts/show.tsx';
import { Found } from '../../parts/states.tsx';

type Check = CorridorChecklist['items'][number];

export function ChecklistPart({ corridor }: { readonly corridor: string }) {
  const query = useQuery({
    queryKey: [...CONTROLS, 'checklist', corridor],
    queryFn: ({ signal }) =>
      ask('GET /v1/corridors/{id}/checklist', { path: { id: corridor } }, signal),
  });
  return (
    <Part title="Checklist for launch">
      <Found query={query} what="checks">
        {({ items, is_independent: isIndependent, is_ready: isReady }) => (
          <>
            <p>
              <Badge level={isIndependent ? 'fine' : 'warning'}>
                {isIndependent
                  ? 'independent of other corridors'
                  : 'not independent of other corridors'}
              </Badge>{' '}
              <Badge level={isReady ? 'fine' : 'warning'}>
                {isReady ? 'ready to launch' : 'not ready to launch'}
              </Badge>
            </p>
            <DataTable
              label="Checklist"
              columns={COLUMNS}
              rows={items}
              keyOf={({ name }) => name}
            />
          </>
        )}
      </Found>
    </Part>
  );
}

const COLUMNS: readonly Column<Check>[] = [
  { id: 'name', header: 'Check', cell: ({ name }) => <strong>{name}</strong> },
  { id: 'kind', header: 'For', from: 2, cell: ({ kind }) => kind },
  {
    id: 'passed',
    header: 'State',
    cell: ({ passed }) => (
      <Badge level={passed ? 'fine' : 'warning'}>{passed ? 'passed' : 'missing'}</Badge>
    ),
  },
  { id: 'found', header: 'Found', cell: ({ found }) => <span className="wrap">{found}</span> },
];
