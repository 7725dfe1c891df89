/** Queries for trees that train themselves: whether trees are due, and what earlier trees said. */
import { offOf } from '../../../core/domain/control.ts';
import { MODEL } from '../../../core/domain/corridor.ts';
import { KNOWN_FRAUDS_MIN } from '../../../core/score/scorecard/scorecard.ts';
import { readControls } from '../../../core/store/controls/controls.ts';
import { isoTime } from '../../../core/store/partitions/month-slice.ts';
import { GUARD_DAYS } from '../../../core/store/scorecards/left-out.ts';
import { countScored } from '../../../core/store/scorecards/read-night.ts';
import { labelOf, type Matured } from '../../../core/store/scorecards/read-payments.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { anyOf, rowsOf } from '../../../kit/database/statement.ts';
import { lowestIdAt } from '../../../kit/words/cursor.ts';
import { ENGINE } from '../../../kit/words/principal.ts';
import { DAY_MS } from '../../../kit/words/range.ts';

/** Name of the trees that the engine trains; the version is the day. */
export const OWN_TREES = 'scorecard-trees';
const ARE_OWN = `starts_with(model, '${OWN_TREES}@') and created_by = '${ENGINE}'`;
/** Fewer known frauds: trees are worse than the scorecard alone, which learns from 50 on. */
const FRAUDS_MIN = 500;
const [FIRST_DAYS, EVERY_DAYS] = [28, 7];
/** Matured days in which trees are compared with the scorecard, and the fewest frauds by which they are ahead. */
const [COMPARED_DAYS, COMPARED_FRAUDS_MIN] = [14, 100];
/** Days for which opinions of shadows stay, so that trees can be ahead. */
export const shadowDaysFor = (maturityDays: number) => maturityDays + GUARD_DAYS + COMPARED_DAYS;
/** Most payments that are compared; of more a sample is. More: the comparison takes longer than the training. */
const COMPARED_MAX = 1_000_000;

const areOld = anyOf<[day: number]>(
  'find-due-trees',
  `from market.scorecards where day = date '1970-01-01' + $1::int4 and frauds >= ${FRAUDS_MIN}
     and exists (select from market.scorecard_days d where d.day <= date '1970-01-01' + $1::int4 - ${FIRST_DAYS})
     and not exists (select from market.models where ${ARE_OWN} and created_at > now() - interval '${EVERY_DAYS} days')`,
);

/** Whether shadows are on, the table of the day knows enough frauds of enough days, and no trees are younger than a week. */
export const areTreesDue = async (database: Pick<Database, 'query'>, day: number) =>
  (await areOld(database.query, day)) &&
  offOf(await readControls(database), 'shadows') === undefined;

/**
 * Serials of tables that have learnt. The margins of other tables are log-odds of the rules: with such rows, trees stopped half of the
 * payments that a policy asked for.
 */
export const listLearnt = rowsOf<{ serial: number }, []>(
  'list-learnt-scorecards',
  `select serial from market.scorecards where frauds >= ${KNOWN_FRAUDS_MIN}`,
);

/** Known frauds, and how many of them are among the riskiest payments by the trees, and by the scorecard. */
export type Beside = Readonly<Record<'frauds' | 'trees' | 'scorecard', number>>;

/**
 * Compares the succession of weekly trees with the scorecard over the last two matured weeks: what the trees of then said in shadow, and
 * the margins of the tables of then, of the same payments. No trees live for two weeks, so the succession is compared.
 * @param share of the payments that count as the riskiest; ties stay below
 */
export async function compareTrees(
  query: Query,
  { toMs, knownByMs, isOut }: Matured,
  share: number,
  comparedMax = COMPARED_MAX,
): Promise<Beside | undefined> {
  const [from, to] = [toMs - COMPARED_DAYS * DAY_MS, toMs].map(isoTime);
  const days = await countScored(query, toMs / DAY_MS - COMPARED_DAYS, toMs / DAY_MS);
  const every = Math.ceil(days.reduce((sum, { payments }) => sum + payments, 1) / comparedMax);
  const text = `
    select count(*)::int4 as frauds, count(*) filter (where by_trees <= ${share})::int4 as trees,
           count(*) filter (where by_scorecard <= ${share})::int4 as scorecard
      from (select s.transaction_id, s.created_at, cume_dist() over (order by o.probability desc) as by_trees,
                   cume_dist() over (order by s.margin desc) as by_scorecard
              from (select transaction_id, max(probability) as probability from market.shadow_batches
                     cross join lateral unnest(transaction_ids, probabilities) as o (transaction_id, probability)
                     where model_id in (select model_id from market.models where ${ARE_OWN}) and scored_at >= '${from}'
                       and transaction_id < '${lowestIdAt(toMs)}' and uuid_hash(transaction_id) % ${every} = 0
                     group by transaction_id) o
              join market.scores s on s.created_at >= '${from}' and s.created_at < '${to}' and s.transaction_id = o.transaction_id
             where s.scorecard is not null and not ${isOut('s')}) s
     where case when s.transaction_id in (select transaction_id from market.labels l
                                           where l.created_at >= '${from}' and l.created_at < '${to}' and label = 'fraud')
                then ${labelOf('s', knownByMs)} = 'fraud' end`;
  return (await query<Beside>({ text }))[0];
}

/** The engine's newest trees, if their succession caught more than the scorecard, their policy is in force and nobody has moved them. */
export const findAhead = rowsOf<Beside & { readonly model: string; readonly at: Date }>(
  'find-trees-ahead',
  `select model, created_at as at, frauds, trees, scorecard
     from (select * from market.models where ${ARE_OWN} order by created_at desc, model desc limit 1) m
    cross join jsonb_to_record(card -> 'beside') as beside (frauds int4, trees int4, scorecard int4)
    where frauds >= ${COMPARED_FRAUDS_MIN} and trees > scorecard
      and exists (select from market.controls where kind = 'scorecard' and coalesce(ends_at, 'infinity') > now()
                                                and scope = '${MODEL}' || (card ->> 'under'))
      and not exists (select from market.rollouts r where r.model_id = m.model_id and cause <> 'engine')`,
);
