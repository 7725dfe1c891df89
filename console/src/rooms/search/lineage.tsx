/** Where a score comes from: when, by what, and whether it can be computed again. */
import { Link } from 'wouter';
import type { Explanation, TransactionDetail } from '../../../../src/kit/client/api-types.ts';
import { duration, words } from '../../format.ts';
import { Part } from '../../parts/page.tsx';
import { Badge, Facts, Time } from '../../parts/show.tsx';

type LineageProps = {
  readonly explanation: Explanation;
  readonly transaction: TransactionDetail;
};

export function Lineage({ explanation, transaction }: LineageProps) {
  const { lineage, feature_schema: schema } = explanation;
  const { rule_set: rules, model, differing } = lineage;
  const { received_at: received } = transaction;
  return (
    <Part title="Lineage">
      <Facts
        rows={[
          ['Created', <Time key="created" at={lineage.created_at} />],
          ['Received and stored', <Step key="received" at={received} after={lineage.created_at} />],
          [
            'Read from its stream and scored',
            <Step key="scored" at={lineage.scored_at} after={received} />,
          ],
          [
            'Rule set',
            <span key="rules" className="mono">
              {rules}
            </span>,
          ],
          [
            'Model',
            model === null ? (
              'none decided'
            ) : (
              <Link key="model" href={`/models/${encodeURIComponent(model)}`}>
                {model}
              </Link>
            ),
          ],
          ['Feature schema', String(schema)],
          [
            'Checksum of the vector',
            <span key="checksum" className="mono">
              {lineage.vector_crc32}
            </span>,
          ],
          ['Attempts', String(lineage.attempts)],
          [
            'Computed again',
            differing.length === 0 ? (
              <Badge key="again" level="fine">
                the same
              </Badge>
            ) : (
              <Badge key="again" level="critical">
                {`differs in ${differing.map(words).join(', ')}`}
              </Badge>
            ),
          ],
        ]}
      />
    </Part>
  );
}

/** A time, and how long after the step before. */
function Step({ at, after }: { readonly at: string; readonly after: string }) {
  const seconds = (Date.parse(at) - Date.parse(after)) / 1000;
  return (
    <>
      <Time at={at} />{' '}
      {seconds < 0 ? null : <span className="muted small">{`${duration(seconds)} later`}</span>}
    </>
  );
}
