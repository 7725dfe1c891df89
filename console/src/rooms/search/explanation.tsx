/** Why a transaction has its score: reasons, model, rules, features, and where it comes from. */
import { useQuery } from '@tanstack/react-query';
import type {
  Explanation,
  Score,
  TransactionDetail,
} from '../../../../src/kit/client/api-types.ts';
import { ask, Refusal } from '../../api/ask.ts';
import { duration, number, percent, weightOf, words } from '../../format.ts';
import { Bars } from '../../parts/bars.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Part } from '../../parts/page.tsx';
import { Badge, Facts, Raw, Time, Verdict } from '../../parts/show.tsx';
import { Empty, Found } from '../../parts/states.tsx';
import { Features } from './features.tsx';
import { Lineage } from './lineage.tsx';

export function Explained({ transaction }: { readonly transaction: TransactionDetail }) {
  const id = transaction.transaction_id;
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
          <Reasons score={found.score} />
          {found.model === null ? null : <Model model={found.model} />}
          <Rules rules={found.rules} />
          <Features explanation={found} />
          <Lineage explanation={found} transaction={transaction} />
          <Raw name="Explanation as JSON" value={found} />
        </>
      )}
    </Found>
  );
}

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
          ['Degradation', score.degradation === 0 ? 'none' : `level ${score.degradation}`],
        ]}
      />
    </section>
  );
}

function Reasons({ score: { reasons } }: { readonly score: Score }) {
  return (
    <Part title="Why">
      {reasons.length === 0 ? (
        <Empty title="No reason">No rule fired, and no model saw a risk.</Empty>
      ) : (
        <Bars
          rows={reasons.map(({ code, detail, contribution }) => ({
            key: code,
            name: detail,
            note: words(code),
            value: contribution,
            text: number(contribution),
          }))}
        />
      )}
    </Part>
  );
}

const MODEL_ROWS = 12;

function Model({ model }: { readonly model: NonNullable<Explanation['model']> }) {
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
          name: detail,
          note: feature,
          value: contribution,
          text: `${contribution > 0 ? '+' : ''}${number(contribution)}`,
        }))}
      />
    </Part>
  );
}

type Rule = Explanation['rules'][number];
const RULE_COLUMNS: readonly Column<Rule>[] = [
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
    cell: ({ summary, detail }) => <span className="wrap">{detail ?? summary}</span>,
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

function Rules({ rules }: { readonly rules: readonly Rule[] }) {
  const rows = rules.toSorted((a, b) => Number(b.fired) - Number(a.fired) || b.weight - a.weight);
  const fired = rules.filter((rule) => rule.fired).length;
  return (
    <Part
      title="Rules"
      aside={<span className="muted">{`${fired} of ${rules.length} fired`}</span>}
    >
      <DataTable label="Rules" columns={RULE_COLUMNS} rows={rows} keyOf={({ id }) => id} />
    </Part>
  );
}
