/** A backtest: how far it is, and its report, also beside the report of another backtest. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useSearchParams } from 'wouter';
import type {
  Backtest,
  BacktestReport,
  BacktestWithReport,
} from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { count, percent, person } from '../../format.ts';
import { Choice } from '../../parts/field.tsx';
import { Page, Part } from '../../parts/page.tsx';
import { Facts, Id, Time } from '../../parts/show.tsx';
import { Empty, Found, Trouble } from '../../parts/states.tsx';
import { BACKTESTS, isOpen, State, useBacktest, useBacktests, windowOf } from './asked.tsx';
import { Report } from './report.tsx';

export function BacktestPage({ id }: { readonly id: string }) {
  const [search] = useSearchParams();
  const query = useBacktest(id);
  const other = useBacktest(search.get('with'));
  return (
    <Page title="Backtest" aside={query.data && <Steps one={query.data} />}>
      <Found query={query} what="the backtest">
        {(one) => (
          <>
            <Asked one={one} />
            {one.report === null ? (
              <Unfinished one={one} />
            ) : (
              <>
                <Compare one={one} />
                {search.has('with') ? (
                  <Found query={other} what="the other backtest">
                    {(beside) => <Both one={one} other={beside} />}
                  </Found>
                ) : (
                  <Report reports={[one.report]} />
                )}
              </>
            )}
          </>
        )}
      </Found>
    </Page>
  );
}

/** Ends what runs, and goes on with what was ended. */
function Steps({ one }: { readonly one: Backtest }) {
  const client = useQueryClient();
  const step = useMutation({
    mutationFn: (name: 'cancel' | 'resume') => {
      const path = { id: one.backtest_id };
      return name === 'cancel'
        ? ask('POST /v1/backtests/{id}/cancel', { path })
        : ask('POST /v1/backtests/{id}/resume', { path });
    },
    onSettled: () => client.invalidateQueries({ queryKey: [BACKTESTS] }),
  });
  const button = (name: 'cancel' | 'resume', text: string) => (
    <button type="button" disabled={step.isPending} onClick={() => step.mutate(name)}>
      {text}
    </button>
  );
  return (
    <>
      <State one={one} />
      {isOpen(one) ? button('cancel', 'Cancel') : null}
      {one.state === 'cancelled' || one.state === 'failed' ? button('resume', 'Resume') : null}
      {step.error === null ? null : <Trouble error={step.error} />}
    </>
  );
}

function Asked({ one }: { readonly one: Backtest }) {
  return (
    <Facts
      rows={[
        ['What', <strong key="what">{one.version}</strong>],
        ['Beside', one.against],
        ['Payments of', windowOf(one)],
        ['Labels known by', <Time key="known" at={one.known_by} />],
        ['Rows read', count(one.rows_read)],
        ['Asked by', person(one.requested_by)],
        ['Asked', <Time key="at" at={one.requested_at} />],
        [
          'SHA-256 of the report',
          one.report_sha256 === null ? null : <Id key="hash" id={one.report_sha256} chars={16} />,
        ],
      ]}
    />
  );
}

function Unfinished({ one }: { readonly one: Backtest }) {
  const { state, progress, problem, rows_read } = one;
  if (state === 'failed') return <Empty title="It failed">{problem}</Empty>;
  return (
    <Part title={isOpen(one) ? 'On its way' : 'Cancelled'}>
      <progress className="whole-width" value={progress} aria-label="Progress" />
      <p className="muted" role="status">
        {percent(progress)} of the window, {count(rows_read)} rows.{' '}
        {state === 'queued'
          ? 'It waits: workers run one at a time, the oldest first.'
          : state === 'cancelled'
            ? 'Resumed, it goes on behind the rows that it has counted.'
            : 'A worker counts in the background.'}
      </p>
    </Part>
  );
}

/** Chooses another finished backtest. */
function Compare({ one }: { readonly one: Backtest }) {
  const [search, setSearch] = useSearchParams();
  const { data } = useBacktests();
  const others = (data?.items ?? []).filter(
    ({ backtest_id: id, state }) => state === 'done' && id !== one.backtest_id,
  );
  if (others.length === 0) return null;
  return (
    <div className="compare">
      <Choice
        label="Compare with"
        value={search.get('with') ?? ''}
        onChange={(id) => setSearch(id === '' ? {} : { with: id })}
      >
        <option value="">no other backtest</option>
        {others.map((other) => (
          <option key={other.backtest_id} value={other.backtest_id}>
            {other.version}, {windowOf(other)}
          </option>
        ))}
      </Choice>
    </div>
  );
}

type BothProps = { readonly one: BacktestWithReport; readonly other: BacktestWithReport };

function Both({ one, other }: BothProps) {
  if (one.report === null || other.report === null) {
    return <Empty title="The other backtest has no report">It is {other.state}.</Empty>;
  }
  const rowsOf = ({ rows, frauds, legitimates }: BacktestReport) =>
    [rows, frauds, legitimates].join();
  const isSameRows =
    windowOf(one) === windowOf(other) && rowsOf(one.report) === rowsOf(other.report);
  return (
    <>
      {isSameRows ? null : (
        <p className="notice warning">
          The rows differ: the other backtest is of {windowOf(other)}, with labels known by{' '}
          <Time at={other.known_by} />.
        </p>
      )}
      <Report reports={[one.report, other.report]} />
    </>
  );
}
