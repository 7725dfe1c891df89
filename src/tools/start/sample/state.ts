/** Reads from the database how much of the sample is done, so that a start goes on where a killed one stopped. */
import type { Database } from '../../../kit/database/pool.ts';
import { onlyOf } from '../../../kit/database/statement.ts';
import { PEOPLE } from './people.ts';

type SampleState = {
  /** The sample or one of its people was removed, or the engine has people of its own. */
  readonly isRefused: boolean;
  readonly hasRates: boolean;
  /** Number of decisions by the people of the sample. */
  readonly decided: number;
};

const read = onlyOf<SampleState, [people: readonly string[]]>(
  'read-sample-state',
  `select exists (select from market.audit_log where action = 'sample.remove')
              or exists (select from market.identities where identity <> all ($1::text[]) or revoked_at is not null) as "isRefused",
                exists (select from market.exchange_rates) as "hasRates",
                (select count(*)::int4 from market.audit_log
                  where action = 'case.decide' and who = any ($1::text[])) as decided`,
);

export const readSampleState = ({ query }: Pick<Database, 'query'>) => read(query, PEOPLE);
