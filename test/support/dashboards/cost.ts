/** Cost: seconds of processors by their price, and the stores by the hour. */
import {
  CPU,
  type Dashboard,
  largest,
  lines,
  MARKET,
  number,
  ofProcesses,
  one,
  perSecond,
  SCORED,
  stacked,
} from './dashboard.ts';

const SPENT = perSecond(CPU, MARKET);
/** The price of an hour, with the stores. */
const HOURLY = `(${SPENT} * $processor_hour_price + $stores_hour_price)`;
const SECONDS = 'Postgres and Redis report no processor time here: set their price an hour.';

export const cost: Dashboard = {
  name: 'cost',
  title: 'cost',
  description:
    'What a million transactions costs: seconds of processors by their price, and the stores by the hour.',
  variables: [
    ofProcesses('market'),
    { name: 'processor_hour_price', label: 'A processor, an hour', byDefault: '0.04' },
    { name: 'stores_hour_price', label: 'Postgres and Redis, an hour', byDefault: '0.2' },
  ],
  rows: [
    {
      title: 'Money',
      panels: [
        number(
          'A million transactions',
          'currencyUSD',
          one(`1e6 / 3600 * ${HOURLY} / ${perSecond(SCORED, MARKET)}`, 'a million'),
          { note: SECONDS },
        ),
        number(
          'Processors of a million',
          'currencyUSD',
          one(
            `1e6 / 3600 * ${SPENT} * $processor_hour_price / ${perSecond(SCORED, MARKET)}`,
            'a million',
          ),
        ),
        number('An hour', 'currencyUSD', one(HOURLY, 'an hour'), { note: SECONDS }),
        number('Processors', 'short', one(SPENT, 'processors')),
        number('Scored', 'cps', one(perSecond(SCORED, MARKET), 'scored')),
      ],
    },
    {
      title: 'Over time',
      panels: [
        lines(
          'A million transactions',
          'currencyUSD',
          one(`1e6 / 3600 * ${HOURLY} / ${perSecond(SCORED, MARKET)}`, 'a million'),
          { note: SECONDS },
        ),
        stacked(
          'Seconds of processors for a thousand transactions',
          's',
          `1000 * ${perSecond(CPU, MARKET, 'job')} / scalar(${perSecond(SCORED, MARKET)})`,
        ),
        stacked('Processors', 'short', perSecond(CPU, MARKET, 'job')),
        stacked('Memory', 'bytes', `sum by (job) (risk_process_resident_memory_bytes{${MARKET}})`),
        lines(
          'Idempotency keys in Postgres',
          'bytes',
          largest('risk_idempotency_bytes', MARKET, 'market'),
        ),
        lines('Scored', 'cps', perSecond(SCORED, MARKET, 'market')),
      ],
    },
  ],
};
