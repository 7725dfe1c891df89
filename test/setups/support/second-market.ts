/** A market beside the first one, whose invariants alone the checker of all scenarios judges. */
import { type Ledger, openLedger } from '../../chaos/support/ledger.ts';
import { startLoad } from '../../chaos/support/load.ts';
import type { Stage } from '../../chaos/support/scenario.ts';
import type { Query } from '../../chaos/support/sessions.ts';

export const SECOND = 'market_1';
export const SECOND_CORRIDOR = 'JP-KR';
const POSTED_MS_MAX = 60_000;

type LoadOptions = {
  readonly url: string;
  readonly rate: number;
  readonly ledger?: Ledger;
  readonly seed?: string;
};

/** Posts to the market by two connections. */
export function loadSecond(
  { engine, seed: ofStage, signal, until }: Stage,
  { url, rate, ledger = openLedger(), seed = ofStage }: LoadOptions,
) {
  const load = startLoad({
    ...{ urls: [url], apiKey: engine.apiKey, ledger, seed, corridor: SECOND_CORRIDOR },
    ...{ rate, batch: rate / 4, connections: 2, signal },
  });
  /** Waits until so many of its transactions are acknowledged. */
  const posted = (goal: number) =>
    until(`${goal} of ${SECOND}`, () => ledger.counts.acknowledged >= goal, POSTED_MS_MAX);
  return { ledger, load, posted };
}

type Figure = 'stored' | 'scored' | 'lost' | 'doubled';
const FIGURES = `
  select (select count(*)::int from ${SECOND}.transactions) as stored,
         (select count(distinct transaction_id)::int from ${SECOND}.scores) as scored,
         (select count(*)::int from unnest($1::uuid[]) a (id)
           where not exists (select from ${SECOND}.scores s where s.transaction_id = a.id)) as lost,
         (select count(*)::int - count(distinct transaction_id)::int from ${SECOND}.scores) as doubled`;

/** Each accepted transaction is stored and scored once. */
export async function judgeSecond(
  { until, bar }: Stage,
  query: Query,
  accepted: readonly string[],
): Promise<void> {
  const read = async () => {
    const [found] = await query<Record<Figure, number>>(FIGURES, [accepted]);
    if (found === undefined) throw new Error('an aggregate returned no row');
    return found;
  };
  await until(`${SECOND} at rest`, async () => (await read()).lost === 0).catch(() => undefined);
  const { stored, scored, lost, doubled } = await read();
  bar(`${SECOND}: accepted, and stored`, stored, { exactly: accepted.length });
  bar(`${SECOND}: scored`, scored, { exactly: accepted.length });
  bar(`${SECOND}: accepted and without a score`, lost, { exactly: 0 });
  bar(`${SECOND}: scored twice`, doubled, { exactly: 0 });
}
