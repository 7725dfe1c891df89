/** The findings of the watch on a model: drift against its training, and what became of its verdicts. */
import { useQuery } from '@tanstack/react-query';
import type { WatchReport } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { count, duration, number, percent } from '../../format.ts';
import { Bars } from '../../parts/bars.tsx';
import { Interval } from '../../parts/interval.tsx';
import { Part } from '../../parts/page.tsx';
import { Badge, Facts, type Level, Time } from '../../parts/show.tsx';
import { Empty, Found } from '../../parts/states.tsx';
import { CalibrationCurve } from './calibration-curve.tsx';

type Share = WatchReport['outcomes']['review']['precision'];

const FEATURES_SHOWN = 10;
const LEVELS: Readonly<Record<WatchReport['level'], Level>> = {
  fine: 'fine',
  notice: 'warning',
  alert: 'critical',
  unknown: 'unknown',
};

/** @param model `name@version` */
export function Watch({ model }: { readonly model: string }) {
  const query = useQuery({
    queryKey: ['model-watch', model],
    queryFn: ({ signal }) => ask('GET /v1/models/watch', { query: { model } }, signal),
  });
  return (
    <Found query={query} what="the watch">
      {({ items: [report] }) =>
        report === undefined ? (
          <Part title="Watch">
            <Empty title="The watch has no report of it">
              A model is watched where it decides, or has decided within the last two weeks.
            </Empty>
          </Part>
        ) : (
          <div className="pair">
            <Drift report={report} />
            <Outcomes report={report} />
          </div>
        )
      }
    </Found>
  );
}

function Drift({ report }: { readonly report: WatchReport }) {
  const { level, score, features, rows, compared_with, watched_at } = report;
  const bars = features
    .filter(({ psi }) => psi !== null)
    .toSorted((a, b) => (b.psi ?? 0) - (a.psi ?? 0))
    .slice(0, FEATURES_SHOWN)
    .map(({ feature, psi, level: one }) => ({
      ...{ key: feature, name: feature, note: one === 'fine' || one === 'unknown' ? '' : one },
      ...{ value: psi ?? 0, text: psi === null ? '–' : number(psi) },
    }));
  return (
    <Part title="Drift, last day" aside={<Badge level={LEVELS[level]}>{level}</Badge>}>
      <p className="muted small">
        {count(rows)} scores, compared with{' '}
        {compared_with === 'training' ? 'the training' : 'the week before'},{' '}
        <Time at={watched_at} />. The index of the score is{' '}
        {score.psi === null ? 'unknown' : number(score.psi)}; from 0.1 on some, from 0.25 on much.
      </p>
      {bars.length === 0 ? <Empty title="No feature could be compared" /> : <Bars rows={bars} />}
    </Part>
  );
}

function Outcomes({ report: { outcomes } }: { readonly report: WatchReport }) {
  const { review, decline, calibration, labelled, rows, frauds, label_delay_seconds } = outcomes;
  const shares = [
    ['Precision of review or decline', review.precision],
    ['Recall of review or decline', review.recall],
    ['Precision of decline', decline.precision],
    ['Recall of decline', decline.recall],
  ] as const;
  return (
    <Part title="What became of its verdicts">
      {labelled === 0 ? (
        <Empty title="No label has matured">
          Verdicts of 7 to 14 days ago are compared with their labels.
        </Empty>
      ) : (
        <>
          <Facts
            rows={[
              ['Labelled', `${count(labelled)} of ${count(rows)}`],
              ['Frauds', count(frauds)],
              ['Label delay, median', label_delay_seconds && duration(label_delay_seconds.p50)],
            ]}
          />
          <ul className="figures">
            {shares.map(([name, share]) => (
              <ShareRow key={name} name={name} share={share} />
            ))}
          </ul>
          {calibration.length === 0 ? null : (
            <CalibrationCurve label="Calibration now" rows={calibration} />
          )}
        </>
      )}
    </Part>
  );
}

export function ShareRow({ name, share }: { readonly name: string; readonly share: Share }) {
  return (
    <li>
      <span>{name}</span>
      <span className="number">
        {share === null ? (
          <span className="muted">unknown</span>
        ) : (
          <>
            <strong>{percent(share.value)}</strong>{' '}
            <span className="muted small">of {count(share.rows)}</span>
          </>
        )}
      </span>
      {share === null ? null : <Interval {...share} />}
    </li>
  );
}
