/**
 * Rollouts of models and of rule sets: appended, never changed; the newest row of a subject in a corridor holds. A row is of a
 * model or of a rule set.
 */
import { recordChange } from '../../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { rowsOf, timeText } from '../../../kit/database/statement.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { type Actor, ENGINE, engineOf } from '../../../kit/words/principal.ts';
import type { LoggedRollout, Rollout } from '../../score/rollout/holding.ts';
import {
  holdingsIn,
  planLapses,
  planOwnShadow,
  planRemoval,
} from '../../score/rollout/plan-rollout.ts';
import { listCorridors } from '../transactions/transactions.ts';
import { forgetCounts } from './rollout-counts.ts';

type Queries = Pick<Database, 'query'>;

export type StoredRollout = LoggedRollout & {
  readonly proposed_by: string;
  readonly approved_by: string | null;
  /** Why the engine rolled back, one person acted alone, or two went on before the end of a stage; else null. */
  readonly reason: string | null;
  /** When an emergency ends; null for every other row. */
  readonly ends_at: string | null;
  readonly created_at: string;
};

/** Far more rows than people will decide in decades. */
const ROLLOUTS_MAX = 100_000;

const BY_ENGINE = { approvalId: null, proposedBy: ENGINE };
const LAPSED = 'an emergency that nobody confirmed within its day';

/** A kind of what is rolled out has its noun, and the column of its subject. */
function kindOf<Noun extends 'model' | 'rule set'>(noun: Noun, column: 'model_id' | 'rule_set') {
  const word = noun.replace(' ', '-') as Noun extends 'model' ? 'model' : 'rule-set';
  const nameOf = (verb: string) => `${verb}-rollouts-of-${word}s`;
  return {
    noun,
    column,
    /** The kind of approvals. */
    approvals: `${word}-rollout` as const,
    /**
     * An expression: version of the log, which changes when a row is appended or an emergency ends; null for an empty log. Rows
     * are appended one decision at a time, so the largest id is the newest.
     */
    mark: `(select max(rollout_id) || coalesce('+' || nullif((select count(*) from market.rollouts where ends_at <= now()), 0), '')
              from market.rollouts where ${column} is not null)`,
    list: rowsOf<StoredRollout, [rowsMax: number]>(
      nameOf('read'),
      `select corridor, ${column} as subject, state, coalesce((select model from market.models m where m.model_id = r.model_id), rule_set) as name,
              canary_percent, cause, approval_id::text as approval_id, proposed_by,
              case cause when 'approval' then (select confirmed_by from market.approvals a where a.approval_id = r.approval_id) end as approved_by,
              reason, ${timeText('created_at')} as created_at, ${timeText('ends_at')} as ends_at,
              coalesce(ends_at <= now(), false) as "hasLapsed"
         from market.rollouts r where ${column} is not null order by rollout_id limit $1`,
    ),
    /** Decisions wait for each other: nobody else appends between a reading and its rows. */
    lock: rowsOf(nameOf('lock'), `lock table market.rollouts in share row exclusive mode`),
    append: rowsOf<object, [rows: string, approvalId: string | null, ...by: (string | null)[]]>(
      nameOf('append'),
      `insert into market.rollouts (corridor, ${column}, state, canary_percent, cause, approval_id, proposed_by,
           reason, decided_by_key, ends_at)
       select r.corridor, r.subject, r.state, r.canary_percent, r.cause,
              case when r.cause in ('approval', 'emergency') then $2::bigint end, $3, $4, $5,
              case r.cause when 'emergency' then now() + interval '1 day' end
         from jsonb_to_recordset($1::jsonb)
              as r (corridor text, subject text, state text, canary_percent smallint, cause text)`,
    ),
  };
}
export const MODELS = kindOf('model', 'model_id');
export const RULE_SETS = kindOf('rule set', 'rule_set');
export type RolloutKind = typeof MODELS | typeof RULE_SETS;

/** All rows, oldest first. */
export async function readRollouts(
  kind: RolloutKind,
  { query }: Queries,
): Promise<StoredRollout[]> {
  const rows = await kind.list(query, ROLLOUTS_MAX + 1);
  if (rows.length <= ROLLOUTS_MAX) return rows;
  const why = `more than ${ROLLOUTS_MAX} rollouts of ${kind.noun}s`;
  throw new Failure('permanent', 'ROLLOUTS_MAX', why);
}

export type Decision = {
  readonly rows: readonly Rollout[];
  /** Null for a rollback. */
  readonly approvalId: string | null;
  readonly proposedBy: string;
  readonly by: Actor;
  readonly reason?: string | null;
};

/** Appends the rows that `decide` returns for the log. If `decide` throws, nothing is written. */
export const decideRollouts = async (
  kind: RolloutKind,
  { transaction }: Pick<Database, 'transaction'>,
  decide: (log: readonly StoredRollout[], query: Query) => Promise<Decision>,
): Promise<Decision> => await transaction((query) => decideIn(kind, query, decide));

/**
 * Appends in a database transaction, one decision at a time: nobody else appends between its read and its write. Emergencies
 * whose day is over end first.
 */
export async function decideIn(
  kind: RolloutKind,
  query: Query,
  decide: (log: readonly StoredRollout[], query: Query) => Promise<Decision>,
): Promise<Decision> {
  await kind.lock(query);
  let log = await readRollouts(kind, { query });
  const lapses = planLapses(log);
  if (lapses.length > 0) {
    const by = engineOf('rollouts');
    await append(kind, query, log, { ...BY_ENGINE, rows: lapses, by, reason: LAPSED });
    log = await readRollouts(kind, { query });
  }
  const decision = await decide(log, query);
  await append(kind, query, log, decision);
  return decision;
}

async function append(
  kind: RolloutKind,
  query: Query,
  log: readonly StoredRollout[],
  decision: Decision,
): Promise<void> {
  const { rows, approvalId, proposedBy, by, reason = null } = decision;
  if (rows.length === 0) return;
  await kind.append(query, JSON.stringify(rows), approvalId, proposedBy, reason, by.keyId);
  // A subject that comes into force is judged by its decisions from then on: earlier failures may have taken the subject back.
  const coming = rows.filter(({ state, subject, corridor }) => {
    const was = holdingsIn(log, corridor).get(subject)?.state;
    const decides = (state: typeof was) => state === 'canary' || state === 'active';
    return decides(state) && !decides(was);
  });
  const of = (name: 'subject' | 'corridor') => coming.map((row) => row[name]);
  if (coming.length > 0) await forgetCounts(query, of('subject'), of('corridor'));
  await recordChange(query, by, changeOf(kind, log, decision));
}

/** For the audit log; `before` holds the subjects' newest rows in the corridors of the decision. */
function changeOf(
  kind: RolloutKind,
  log: readonly StoredRollout[],
  { rows, approvalId, reason }: Decision,
) {
  const holdingOf = ({ corridor, subject, state, canary_percent }: Rollout) => ({
    corridor,
    [kind.column]: subject,
    state,
    canary_percent,
  });
  const before = rows.flatMap(
    ({ corridor, subject }) =>
      log.findLast((row) => row.corridor === corridor && row.subject === subject) ?? [],
  );
  const target = (approvalId === null ? rows[0] : rows.at(-1))?.subject ?? '';
  const decided = approvalId === null ? 'rollout.rollback' : 'rollout.approve';
  const cause = rows.at(-1)?.cause;
  const alone = cause === 'emergency' ? 'rollout.emergency' : decided;
  const corridors = [...new Set(rows.map(({ corridor }) => corridor))];
  return {
    action: cause === 'engine' ? 'rollout.shadow' : alone,
    subject: kind === RULE_SETS ? target : (approvalId ?? corridors.join(' ')),
    before: { holdings: before.map(holdingOf) },
    after: { holdings: rows.map(holdingOf), reason: reason ?? null },
  } as const;
}

/**
 * Reads the log of rollouts, and first appends the end of each emergency whose day is over.
 * @param process name of the process in the audit log
 */
export async function readSettledRollouts(
  kind: RolloutKind,
  database: Database,
  process: string,
): Promise<StoredRollout[]> {
  const log = await readRollouts(kind, database);
  if (planLapses(log).length === 0) return log;
  const by = engineOf(process);
  await decideRollouts(kind, database, async () => ({ ...BY_ENGINE, rows: [], by }));
  return await readRollouts(kind, database);
}

/** Puts what the engine trained into shadow in all corridors. */
export const putInShadow = (query: Query, subject: string, by: Actor): Promise<Decision> =>
  decideIn(MODELS, query, async (log) => {
    const rows = planOwnShadow(log, await listCorridors({ query }), subject);
    return { ...BY_ENGINE, rows, by };
  });

/** False where the subject no longer decides in the corridor: a person or another worker was faster. */
export async function takeBack(
  kind: RolloutKind,
  database: Pick<Database, 'transaction'>,
  process: string,
  {
    corridor,
    subject,
    why,
  }: { readonly corridor: string; readonly subject: string; readonly why: string },
): Promise<boolean> {
  const by = engineOf(process);
  const { rows } = await decideRollouts(kind, database, async (log) => ({
    ...BY_ENGINE,
    rows: planRemoval(log, corridor, subject),
    by,
    reason: why,
  }));
  return rows.length > 0;
}
