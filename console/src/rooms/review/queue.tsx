/** The queue: cases by priority and deadline, the next one, and how the work goes. The address holds the filters. */
import { useMemo, useState } from 'react';
import { useLocation, useSearchParams } from 'wouter';
import type { Me, ReviewCase } from '../../../../src/kit/client/api-types.ts';
import { useWish } from '../../api/follow-up.ts';
import { Page } from '../../parts/page.tsx';
import { Empty, Found } from '../../parts/states.tsx';
import { useShortcuts } from '../../shell/shortcuts.ts';
import { Capacity, Forecast, Shift, useStatus } from './figures.tsx';
import { NotDecided, useDecideMany } from './many-dialog.tsx';
import { caseLink, nextFilterOf, useNextCase } from './next-case.ts';
import { NextNotice } from './next-notice.tsx';
import { Overflow } from './overflow.tsx';
import { activeFilters, PriorityTabs, QueueFilters } from './queue-filters.tsx';
import { QueueTable, useQueue } from './queue-table.tsx';
import { Refused } from './refused.tsx';
import { ToConfirmLink } from './second-person.tsx';
import { SelectionBar, useSelection } from './selection.tsx';
import { steps, useStep } from './steps.ts';
import { UndoBar } from './undo-bar.tsx';

export function QueuePage({ me }: { readonly me: Me }) {
  const [search, setSearch] = useSearchParams();
  const [, go] = useLocation();
  const filters = activeFilters(search);
  const status = useStatus();
  const queue = useQueue(filters, me);
  const next = useNextCase(me);
  const claim = useStep();
  const wish = useWish();
  const rows = useMemo(() => queue.data?.pages.flatMap(({ items }) => items) ?? [], [queue.data]);
  const selection = useSelection(rows, me);
  const deciding = useDecideMany(selection.clear);
  const [isAsked, setAsked] = useState(false);
  const takeNext = () => {
    claim.reset();
    next.take(nextFilterOf(search));
  };
  const open = (one: ReviewCase) => go(caseLink(one.transaction_id, nextFilterOf(search)));
  const claimFocused = () => {
    const one = rows[focusedIndex()];
    if (one === undefined) return;
    wish.make();
    if (claim.isPending) return;
    next.reset();
    claim.mutate(() => steps.claim(one.transaction_id), {
      onSuccess: (claimed) => wish.holds() && open(claimed),
    });
  };
  const selectFocused = () => {
    const one = rows[focusedIndex()];
    if (one !== undefined) selection.toggle(one);
  };
  useShortcuts({ n: takeNext, c: claimFocused, x: selectFocused });
  return (
    <Page
      title="Review"
      aside={
        <>
          <ToConfirmLink me={me} />
          <button type="button" className="primary" disabled={next.isPending} onClick={takeNext}>
            Next case <kbd>n</kbd>
          </button>
        </>
      }
    >
      {claim.error === null ? null : (
        <Refused error={claim.error} onNext={takeNext} onClose={claim.reset} />
      )}
      <NextNotice next={next}>Nothing waits that you may take, with these filters.</NextNotice>
      {isAsked ? null : <NotDecided deciding={deciding} />}
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
        <UndoBar isNextAsked={next.isPending} onNext={takeNext} />
      )}
    </Page>
  );
}

/** The index of the row whose link has the focus; -1 for none. */
function focusedIndex(): number {
  const row = document.activeElement?.closest('tr[data-index]');
  return Number(row?.getAttribute('data-index') ?? -1);
}
