/**
 * Rules that ask a list, and the list's changes beside the faults of a scenario (`--with-lists`). What a score has stored of the list
 * must explain the score, and be what the list said shortly before.
 */

import { MARKET } from '../../../bench/support/market.ts';
import { default3 } from '../../../src/core/score/rules/default-3.ts';
import { openPool } from '../../../src/kit/database/pool.ts';
import { integerBetween, type Random } from '../../../src/kit/random.ts';
import { makeApproved, makeOfficer, putInForce } from '../../support/rooms/rules/officers.ts';
import { askAnyApi, type Disturbance, type Repeated, repeatSteps } from './disturbance.ts';
import type { Stage } from './scenario.ts';
import type { ChaosServices } from './services.ts';

const LIST = 'watched';
const RULE_SET = 'listed@1';
/** Few values, so that each of them decides many scores. */
const COUNTRIES = ['US', 'EG', 'MX', 'PH', 'IN', 'GB', 'AE', 'SA'] as const;
/** A value changes every five seconds or so: one that changes oftener gives no answer away as an old one. */
const PAUSE_MS = [300, 900] as const;
/** Workers read versions that are 1.5 s old at most; a frozen store holds a change or a score back for some seconds more. */
const OLD_SECONDS_MAX = 4;
/** A score that is further from its transaction was dated by a clock that the scenario set wrong: minutes, where no backlog is. */
const CLOCK_SECONDS_MAX = 120;
const TIMEOUT_MS = 10_000;
const SAMPLE = 1_000_000;

/** Puts a rule set in force that is the build's with one rule more. */
async function putListInForce({ databaseUrl: url, query }: ChaosServices): Promise<void> {
  const rule = {
    ...{ id: 'watched-country', code: 'WATCHED_COUNTRY', sentence: 'The country is watched.' },
    ...{ when: `in_list("${LIST}")`, weight: 0.1 },
  };
  await query(
    `insert into lists (name, effect, kind, description, created_by) values ($1, 'watch', 'country', 'a proof', 'chaos')`,
    [LIST],
  );
  await using database = openPool({
    ...{ url, market: MARKET, role: 'chaos', connectionsMax: 1, namedStatements: false },
    ...{ connectTimeoutMs: TIMEOUT_MS, statementTimeoutMs: TIMEOUT_MS },
  });
  const people = [
    await makeOfficer({ sql: query }, 'Ann'),
    await makeOfficer({ sql: query }, 'Bob'),
  ] as const;
  const listed = { ...default3, id: RULE_SET, rules: [...default3.rules, rule] };
  await makeApproved(database, people, listed);
  for (const percent of [5, null]) await putInForce(database, people, RULE_SET, percent, 'all');
}

/** Adds and ends entries. */
function startChanges(stage: Stage, random: Random): Repeated {
  const open = new Map<string, string>();
  const entries = `/v1/lists/${LIST}/entries`;
  return repeatSteps(stage, random, async ({ pause }) => {
    await pause(PAUSE_MS);
    const country = COUNTRIES[integerBetween(random, 0, COUNTRIES.length - 1)] ?? '';
    const entry = open.get(country);
    if (entry === undefined) {
      const added = await askAnyApi(stage, 'POST', entries, { value: country, reason: 'a proof' });
      // An entry whose answer was lost is there, and the same request names it later.
      if (added !== undefined) open.set(country, String(added['entry_id']));
      return added !== undefined;
    }
    const ended = await askAnyApi(stage, 'DELETE', `${entries}/${entry}`);
    // An end that was answered or not: to end it again is refused.
    open.delete(country);
    return ended !== undefined;
  });
}

const ANSWERS = `
  select count(*) filter (where answer is null)::int as unrecorded, count(*) filter (where answer)::int as listed,
         count(*) filter (where is_dated and (answer and not was_on or not answer and was_on_throughout))::int as wrong
    from (select (s.rule_inputs ->> 'in_list.${LIST}')::boolean as answer,
                 abs(extract(epoch from s.scored_at - t.received_at)) < ${CLOCK_SECONDS_MAX} as is_dated,
                 exists (select from list_entries e where e.value = t.country and e.valid_from <= s.scored_at
                            and (e.valid_to is null or e.valid_to > s.scored_at - interval '${OLD_SECONDS_MAX} s')) as was_on,
                 exists (select from list_entries e where e.value = t.country
                            and e.valid_from <= s.scored_at - interval '${OLD_SECONDS_MAX} s'
                            and (e.valid_to is null or e.valid_to > s.scored_at)) as was_on_throughout
            from scores s join transactions t using (transaction_id, created_at)) answers`;

async function judgeAnswers({ services, engine, bar }: Stage): Promise<void> {
  type Counted = { readonly unrecorded: number; readonly listed: number; readonly wrong: number };
  const [counted] = await services.query<Counted>(ANSWERS);
  if (counted === undefined) throw new Error('an aggregate has one row');
  bar('scores without an answer of the list', counted.unrecorded, { exactly: 0 });
  bar('scores of listed countries', counted.listed, { atLeast: 1 });
  const seconds = `${OLD_SECONDS_MAX} s`;
  bar(`answers that the list did not give within ${seconds}`, counted.wrong, { exactly: 0 });
  const verified = engine.command(['verify', 'scores', '--sample', String(SAMPLE)], {});
  const problems = await verified.then(
    () => 0,
    () => 1,
  );
  bar('failures of verify scores', problems, { exactly: 0 });
}

export const lists: Disturbance = {
  ...{ counted: 'changes of a list', isForSteadyLoad: false },
  ...{ prepare: putListInForce, start: startChanges, judge: judgeAnswers },
};
