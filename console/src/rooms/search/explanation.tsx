/** Why a transaction has its score: reasons, model, rules, features, and where it comes from. */
import { useQuery } from '@tanstack/react-query';
import { Fragment } from 'react';
import { Link } from 'wouter';
import type {
  Explanation,
  Score,
  TransactionDetail,
} from '../../../../src/kit/client/api-types.ts';
import { LEVELS } from '../../../../src/kit/words/levels.ts';
import { ask, Refusal } from '../../api/ask.ts';
import { duration, number, percent, sayMoney, weightOf, words } from '../../format.ts';
import { Bars } from '../../parts/bars.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Part } from '../../parts/page.tsx';
import { Badge, Facts, Raw, Time, Verdict } from '../../parts/show.tsx';
import { Empty, Found } from '../../parts/states.tsx';
import { Features } from './features.tsx';
import { Lineage } from './lineage.tsx';
import { Margin } from './margin.tsx';

export function Explained({ transaction }: { readonly transaction: TransactionDetail }) {
  const { transaction_id: id, currency, amount } = transaction;
  const explanation = useQuery({
    queryKey: ['explanation', id],
    queryFn: ({ signal }) => ask('GET /v1/scores/{id}/explanation', { path: { id } }, signal),
    staleTime: Number.POSITIVE_INFINITY,
    // A transaction that was stored a moment ago may be scored before its explanation can be read.
    retry: (failures, error) =>
      failures < 2 && !(error instanceof Refusal && [403, 404, 410].includes(error.status)),
  });
  return (
    <Found query={explanation} what="the explanation">
      {(found) => (
        <>
          <Verdicts score={found.score} receivedAt={transaction.received_at} />
          <Reasons score={found.score} currency={currency} amount={amount} />
          {found.model === null ? null : <Model model={found.model} currency={currency} />}
          {found.scorecard === null ? null : <Margin scorecard={found.scorecard} />}
          <Rules rules={found.rules} currency={currency} amount={amount} />
          <Features explanation={found} currency={currency} />
          <Lineage explanation={found} transaction={transaction} />
          <Raw name="Explanation as JSON" value={found} />
        </>
      )}
    </Found>
  );
}

const sayLevel = (level: Score['degradation']) =>
  level === 0 ? 'none' : `level ${level}: ${LEVELS[level as keyof typeof LEVELS]}`;

function Verdicts({ score, receivedAt }: { readonly score: Score; readonly receivedAt: string }) {
  const seconds = (Date.parse(score.scored_at) - Date.parse(receivedAt)) / 1000;
  return (
    <section className={`verdict ${score.verdict}`} aria-label="Verdict">
      <p className="score">
        <strong>{score.score}</strong>
        <span className="muted">of 1000</span>
      </p>
      <Verdict verdict={score.verdict} />
      <Facts
        rows={[
          ['Scored', <Time key="scored" at={score.scored_at} />],
          ['After', seconds < 0 ? null : duration(seconds)],
          ['Probability', score.probability === null ? null : percent(score.probability)],
          ['Degradation', sayLevel(score.degradation)],
        ]}
      />
    </section>
  );
}

type ReasonsProps = { readonly score: Score; readonly currency: string; readonly amount: string };

/** Reasons, with the sentences of rules apart from the sentences of the model. */
function Reasons({ score: { reasons }, currency, amount }: ReasonsProps) {
  const groups = Map.groupBy(reasons, ({ code }) =>
    code.startsWith(MODEL_CODES) ? 'By the model' : 'By rules',
  );
  return (
    <Part title="Why">
      {reasons.length === 0 ? (
        <Empty title="No reason">No rule fired, and no model saw a risk.</Empty>
      ) : (
        [...groups].map(([title, of]) => (
          <Fragment key={title}>
            {groups.size > 1 ? <h3>{title}</h3> : null}
            <Bars
              rows={of.map(({ code, detail, contribution }) => ({
                key: code,
                name: sayMoney(detail.replace(MODEL_PREFIX, ''), currency, amount),
                note: code.startsWith(MODEL_CODES) ? '' : words(code),
                value: contribution,
                text: number(contribution),
              }))}
            />
          </Fragment>
        ))
      )}
    </Part>
  );
}

const MODEL_CODES = 'MODEL_';
/** The beginning of a model's sentences, which repeats their heading and is left out. */
const MODEL_PREFIX = /^Model: /;

const MODEL_ROWS = 12;

type ModelProps = { readonly model: NonNullable<Explanation['model']>; readonly currency: string };

function Model({ model, currency }: ModelProps) {
  const greatest = model.contributions
    .toSorted((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution))
    .slice(0, MODEL_ROWS);
  return (
    <Part
      title={`Model ${model.model}`}
      aside={<span className="muted">log-odds, by {model.method}</span>}
    >
      <p>
        It sees fraud with a probability of <strong>{percent(model.probability)}</strong>.
      </p>
      <Bars
        rows={greatest.map(({ feature, detail, contribution }) => ({
          key: feature,
          name: sayMoney(detail.replace(MODEL_PREFIX, ''), currency),
          note: words(feature),
          value: contribution,
          text: `${contribution > 0 ? '+' : ''}${number(contribution)}`,
        }))}
      />
    </Part>
  );
}

type Rule = Explanation['rules'][number];
const ruleColumns = (currency: string, amount: string): readonly Column<Rule>[] => [
  {
    id: 'fired',
    header: 'Outcome',
    cell: ({ fired }) => (
      <Badge level={fired ? 'warning' : 'unknown'}>{fired ? 'fired' : 'quiet'}</Badge>
    ),
  },
  {
    id: 'rule',
    header: 'Rule',
    cell: ({ code, summary, detail }) => (
      <span className="wrap">
        {detail === null ? summary : sayMoney(detail, currency, amount)}{' '}
        <Link className="muted small" href={`/rules?rule=${code}`}>
          {words(code)}
        </Link>
      </span>
    ),
  },
  {
    id: 'value',
    header: 'Value',
    numeric: true,
    from: 2,
    cell: ({ value }) => (value === null ? '–' : number(value)),
  },
  {
    id: 'band',
    header: 'Band from',
    numeric: true,
    from: 3,
    cell: ({ band }) => (band === null ? '–' : number(band)),
  },
  {
    id: 'weight',
    header: 'Weight',
    numeric: true,
    cell: ({ weight }) => (weight === 0 ? '–' : weightOf(weight)),
  },
];

type RulesProps = {
  readonly rules: readonly Rule[];
  readonly currency: string;
  readonly amount: string;
};

function Rules({ rules, currency, amount }: RulesProps) {
  const { told = [], quiet = [] } = Object.groupBy(rules, ({ fired, weight }) =>
    fired || weight !== 0 ? 'told' : 'quiet',
  );
  const rows = told.toSorted((a, b) => Number(b.fired) - Number(a.fired) || b.weight - a.weight);
  const fired = rules.filter((rule) => rule.fired).length;
  const columns = ruleColumns(currency, amount);
  return (
    <Part
      title="Rules"
      aside={<span className="muted">{`${fired} of ${rules.length} fired`}</span>}
    >
      <p className="muted small">
        Value is what the rule measures, and a rule fires from its lowest band on. Weight is the
        chance of fraud that the rule alone gives: a weight of 0.25 alone makes a score of 250.
      </p>
      {rows.length === 0 ? null : (
        <DataTable label="Rules" columns={columns} rows={rows} keyOf={({ id }) => id} />
      )}
      {quiet.length === 0 ? null : (
        <details className="fold">
          <summary>{`${quiet.length} ${quiet.length === 1 ? 'rule' : 'rules'} that did not fire`}</summary>
          <DataTable label="Quiet rules" columns={columns} rows={quiet} keyOf={({ id }) => id} />
        </details>
      )}
    </Part>
  );
}
