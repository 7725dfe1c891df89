/** How the review stands: what waits and since when, what will be late, who is at work, and how many people it takes. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { Me, ReviewPolicy, ReviewStatus } from '../../../../../src/kit/client/api-types.ts';
import { ask } from '../../../api/ask.ts';
import { has } from '../../../api/me.ts';
import { count, duration, percent } from '../../../format.ts';
import { Connection } from '../../../parts/connection.tsx';
import { Page, Part } from '../../../parts/page.tsx';
import { Plot } from '../../../parts/plot.tsx';
import { Found, Loading } from '../../../parts/states.tsx';
import { Tiles } from '../../../parts/tiles.tsx';
import { Overflow } from '../overflow.tsx';
import { type ReviewPoint, sumWaiting, useReviewLive } from '../review-live.ts';
import { Capacity } from './capacity.tsx';
import { ByCorridor, ByPriority } from './depth.tsx';
import { DueNext } from './due-next.tsx';
import { Officers } from './officers.tsx';

export function WorkloadPage({ me }: { readonly me: Me }) {
  const live = useReviewLive();
  const { figures, points } = live;
  const policy = useQuery({
    queryKey: ['review-policy'],
    queryFn: ({ signal }) => ask('GET /v1/reviews/policy', {}, signal),
  });
  return (
    <Page title="Workload" aside={<Connection live={live} />}>
      <Found query={policy} what="the policy of the review">
        {({ policy: rules }) =>
          figures === undefined ? (
            <Loading what="live figures" />
          ) : (
            <Live me={me} status={figures} points={points} policy={rules} />
          )
        }
      </Found>
      <Capacity waiting={figures && sumWaiting(figures.waiting).waiting} />
    </Page>
  );
}

type LiveProps = {
  readonly me: Me;
  readonly status: ReviewStatus;
  readonly points: readonly ReviewPoint[];
  readonly policy: ReviewPolicy;
};

function Live({ me, status, points, policy }: LiveProps) {
  return (
    <>
      <Summary status={status} policy={policy} />
      <Overflow status={status} />
      <Part title="Depth by priority">
        <ByPriority status={status} policy={policy} />
      </Part>
      <div className="pair top">
        <Part title="Due next">
          <DueNext
            cases={status.due_next}
            at={status.at}
            isLinked={has(me, 'analyst', 'risk_officer')}
          />
        </Part>
        <div className="stack">
          <Part title="Officers at work">
            <Officers status={status} policy={policy} />
          </Part>
          <Part title="By corridor">
            <ByCorridor waiting={status.waiting} />
          </Part>
        </div>
      </div>
      <Part title="Waiting, last hour">
        <DepthPlot points={points} />
      </Part>
    </>
  );
}

function Summary({ status, policy }: Pick<LiveProps, 'status' | 'policy'>) {
  const all = sumWaiting(status.waiting);
  const { utilisation_max: limit } = policy.capacity;
  const busy = status.utilisation;
  const tiles = [
    ['Waiting', count(all.waiting), `${count(all.claimed)} claimed`],
    [
      'Deadline missed',
      count(all.missed),
      `${count(all.near)} more within 30 min`,
      all.missed > 0 ? 'critical' : all.near > 0 ? 'warning' : undefined,
    ],
    [
      'Mean age',
      all.ageSeconds === null ? '–' : duration(all.ageSeconds),
      all.ageSeconds === null ? 'nothing waits' : `oldest ${duration(all.oldestSeconds)}`,
    ],
    [
      'Officers at work',
      count(status.officers_at_work),
      busy === null ? 'nobody' : `${percent(busy)} busy, limit ${percent(limit)}`,
      busy !== null && busy > limit ? 'warning' : undefined,
    ],
  ] as const;
  return <Tiles label="Review" tiles={tiles} />;
}

function DepthPlot({ points }: Pick<LiveProps, 'points'>) {
  const { times, lines } = useMemo(() => {
    const waiting = points.map((point) => point.waiting.reduce((sum, one) => sum + one, 0));
    return {
      times: points.map(({ at }) => Date.parse(at) / 1000),
      lines: [
        { label: 'waiting', color: 'accent', values: waiting, filled: true },
        { label: 'missed', color: 'critical', values: points.map(({ missed }) => missed) },
      ],
    } as const;
  }, [points]);
  return <Plot label="Cases that wait" times={times} lines={lines} format={count} />;
}
