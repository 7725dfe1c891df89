/** The queue: cases by priority and deadline, the next one, and how the work goes. The address holds the filters. */
import { useMemo, useState } from 'react';
import { useLocation, useSearchParams } from 'wouter';
import type { Me, ReviewCase } from '../../../../src/kit/client/api-types.ts';
import { Page } from '../../parts/page.tsx';
import { Empty, Found } from '../../parts/states.tsx';
import { useShortcuts } from '../../shell/shortcuts.ts';
import { Capacity, Forecast, Shift, useStatus } from './figures.tsx';
import { NotDecided, useDecideMany } from './many-dialog.tsx';
import { caseLink, nextFilterOf, useNextCase } from './next-case.ts';
import { Overflow } from './overflow.tsx';
import { activeFilters, PriorityTabs, QueueFilters } from './queue-filters.tsx';
import { QueueTable, useQueue } from './queue-table.tsx';
import { Refused } from './refused.tsx';
import { SelectionBar, useSelection } from './selection.tsx';
import { steps, useStep } from './steps.ts';
import { UndoBar } from './undo-bar.tsx';

export function QueuePage({ me }: { readonly me: Me }) {
  const [search, setSearch] = useSearchParams();
  const [, go] = useLocation();
  const filters = activeFilters(search);
  const status = useStatus();
  const queue = useQueue(filters, me);
  const next = useNextCase();
  const claim = useStep();
  const rows = useMemo(() => queue.data?.pages.flatMap(({ items }) => items) ?? [], [queue.data]);
  const selection = useSelection(rows, me);
  const deciding = useDecideMany();
  const [isAsked, setAsked] = useState(false);
  const takeNext = () => {
    claim.reset();
    if (!next.isPending) next.mutate(nextFilterOf(search));
  };
  const open = (one: ReviewCase) => go(caseLink(one.transaction_id, nextFilterOf(search)));
  const claimFocused = () => {
    const one = rows[focusedIndex()];
    if (one === undefined || claim.isPending) return;
    next.reset();
    claim.mutate(() => steps.claim(one.transaction_id), { onSuccess: open });
  };
  const selectFocused = () => {
    const one = rows[focusedIndex()];
    if (one !== undefined) selection.toggle(one);
  };
  useShortcuts({ n: takeNext, c: claimFocused, x: selectFocused });
  const error = next.error ?? claim.error;
  return (
    <Page
      title="Review"
      aside={
        <button type="button" className="primary" disabled={next.isPending} onClick={takeNext}>
          Next case <kbd>n</kbd>
        </button>
      }
    >
      {error === null ? null : (
        <Refused
          error={error}
          onNext={takeNext}
          onClose={() => {
            next.reset();
            claim.reset();
          }}
        />
      )}
      {isAsked ? null : <NotDecided deciding={deciding} />}
      {next.data === null ? (
        <output className="notice">Nothing waits that you may take, with these filters.</output>
      ) : null}
      <Shift />
      <Overflow status={status.data} />
      <PriorityTabs search={search} onChange={setSearch} status={status.data} />
      <QueueFilters search={search} onChange={setSearch} />
      <Found query={queue} what="the queue">
        {() =>
          rows.length > 0 ? (
            <QueueTable
              rows={rows}
              more={queue}
              filter={nextFilterOf(search)}
              selection={selection}
            />
          ) : (
            <Empty title="No case matches">
              {Object.keys(filters).length === 0
                ? 'Everything is decided: new cases appear here by themselves.'
                : 'Change a filter, or take one away.'}
            </Empty>
          )
        }
      </Found>
      <div className="pair">
        <Forecast status={status} />
        <Capacity />
      </div>
      {selection.cases.length > 0 || isAsked ? (
        <SelectionBar
          selection={selection}
          deciding={deciding}
          isAsked={isAsked}
          onAsk={setAsked}
        />
      ) : (
        <UndoBar onNext={takeNext} />
      )}
    </Page>
  );
}

/** Of the row whose link has the focus; -1 for none. */
function focusedIndex(): number {
  const row = document.activeElement?.closest('tr[data-index]');
  return Number(row?.getAttribute('data-index') ?? -1);
}
