/** Rows that wait to be sealed, as Postgres writes them. */
import { createdAtMsOf } from '../../../core/domain/transaction.ts';
import type { ScoredStatement } from '../../../core/store/scores/score-values.ts';
import { timeValues } from '../../../core/store/within-months.ts';
import { linesOf } from '../../../kit/audit/audit-log.ts';
import { HEADER_BYTES, uuidArray, uuidOffset } from '../../../kit/database/binary-array.ts';
import type { Texts } from '../../../kit/database/copy.ts';
import type { Query } from '../../../kit/database/pool.ts';
import { rowsOf } from '../../../kit/database/statement.ts';
import { openOutbox } from '../../../kit/outbox/outbox.ts';
import { uuidsIn } from '../../../kit/words/cursor.ts';
import {
  type HashedScores,
  ID_BYTES,
  type ModelFacts,
  type RuleSetFacts,
} from '../log/contents.ts';
import { hashScores, type ScoreTexts } from '../log/score-hash.ts';
import { HASH_BYTES } from '../log/tree.ts';
import { IS_SEALING } from './evidence-log.ts';

/** Bytes of an id in `uuid[]`. */
const UUID_ROOM = 4 + ID_BYTES;

/**
 * Adds the ids of a batch of scores to the outbox while a log is kept, and their hashes, so that the sealer reads no score. Where
 * only some scores of a batch are stored, and from a worker without keys, ids come alone.
 */
export const addUnsealed = (hasKeys: boolean): ScoredStatement => ({
  name: 'add-unsealed',
  insert: ({ ids, scoredAtMs, value }) => `
      insert into market.outbox_evidence (transaction_ids, hashes, scored_at)
      select ${ids}::uuid[], ${value}::bytea, case when ${value}::bytea is not null then to_timestamp(${scoredAtMs}::float8 / 1000) end
       where cardinality(${ids}::uuid[]) > 0 and exists (select ${IS_SEALING})`,
  toValue: hasKeys ? (_scores, columns) => columns && hashScores(columns) : null,
});

/** Bounds of a step. Larger: a step blocks the worker for more than about 10 ms; smaller: more commits. */
const STEP_ROWS = 2048;
const STEP_SCORES = 32_768;
/** The share of a step that a score takes whose hash is missing. */
const BARE_WEIGHT = 16;

type TakenRow = {
  readonly array: Buffer;
  readonly hashes: Buffer | null;
  readonly scoredAtMs: number | null;
};

// The length of the hashes is known without reading them.
export const unsealed = openOutbox<TakenRow>({
  name: 'evidence',
  columns: `array_send(transaction_ids) as array, hashes, round(date_part('epoch', scored_at) * 1000)::float8 as "scoredAtMs"`,
  weight: `coalesce(octet_length(hashes) / ${HASH_BYTES}, cardinality(transaction_ids) * ${BARE_WEIGHT})`,
  ...{ rowsMax: STEP_ROWS, weightMax: STEP_SCORES },
});

/** Takes the oldest rows, up to a number of scores; `bare` are ids without a hash. */
export async function takeUnsealed(query: Query) {
  const { rows, mayHaveMore } = await unsealed.take(query);
  const hashed: HashedScores[] = [];
  const bare: string[] = [];
  for (const { array, hashes, scoredAtMs } of rows) {
    const ids = packIds(array);
    if (hashes === null || scoredAtMs === null) bare.push(...uuidsIn(ids));
    else hashed.push({ ids, hashes, scoredAtMs });
  }
  return { hashed, bare, mayHaveMore };
}

/** @param array `uuid[]` in binary form, which has a length before each id */
function packIds(array: Buffer): Buffer {
  const ids = Buffer.allocUnsafe(((array.length - HEADER_BYTES) / UUID_ROOM) * ID_BYTES);
  for (let at = 0, from = uuidOffset(0); at < ids.length; at += ID_BYTES, from += UUID_ROOM)
    array.copy(ids, at, from, from + ID_BYTES);
  return ids;
}

const COLUMNS = `s.transaction_id, date_part('epoch', s.scored_at), s.account_id, s.corridor, s.score, s.risk, s.probability,
  s.verdict, s.reasons, encode(s.features, 'hex'), s.feature_schema, s.rule_set, s.model, s.attempts, s.degradation,
  s.features_crc32, s.rule_inputs, s.margin, s.scorecard, s.by_rules`;

// The limit keeps the planner from a scan of the whole month for some thousand rows.
const readText = `select s.*
  from unnest($1::uuid[], $2::timestamptz[]) as k (transaction_id, created_at)
 cross join lateral (
   select ${COLUMNS} from market.scores s
    where s.transaction_id = k.transaction_id and s.created_at = k.created_at
      and s.created_at between $3 and $4 limit 1) s`;

/** The scores with these ids, in any order, without scores of detached months. */
export async function readScoreTexts(query: Query, ids: readonly string[]): Promise<ScoreTexts[]> {
  const known = ids.flatMap((id) => createdAtMsOf(id) ?? []);
  if (ids.length === 0 || known.length !== ids.length) return [];
  const statement = { name: 'read-unsealed', text: readText, asTexts: true };
  const values = [uuidArray(ids), ...timeValues(known)];
  return (await query<Texts>(statement, values)).map(toScoreTexts);
}

const toScoreTexts = (texts: Texts): ScoreTexts => ({
  transactionId: texts[0] as string,
  scoredAtMs: Math.round(Number(texts[1]) * 1000),
  accountId: texts[2] as string,
  corridor: texts[3] as string,
  score: texts[4] as string,
  risk: texts[5] as string,
  probability: texts[6] ?? null,
  verdict: texts[7] as string,
  reasons: texts[8] as string,
  features: texts[9] as string,
  featureSchema: texts[10] as string,
  ruleSet: texts[11] as string,
  model: texts[12] ?? null,
  attempts: texts[13] as string,
  degradation: texts[14] as string,
  featuresCrc32: texts[15] as string,
  ruleInputs: texts[16] ?? null,
  margin: texts[17] ?? null,
  scorecard: texts[18] ?? null,
  byRules: texts[19] ?? null,
});

/** Lines after a position. Ids have the order of commits, so no line appears later before a line that was read. */
export const readAuditAfter = linesOf<[auditId: string, rowsMax: number]>(
  'read-audit-after',
  'audit_id > $1 order by audit_id limit $2',
);

/** The line that names the hash of a table of the day. */
export const readTableLine = linesOf<[serial: string]>(
  'read-scorecard-line',
  `action = 'scorecard.build' and after ->> 'serial' = $1`,
);
export type TableHash = { readonly serial: number; readonly sha256: string };
/** Hashes of what is stored. */
export const hashTables = rowsOf<TableHash, [serials: readonly number[]]>(
  'hash-scorecards',
  `select serial, encode(sha256(bytes), 'hex') as sha256 from market.scorecards where serial = any ($1::int2[])`,
);

const notSealed = (kind: string, name: string) =>
  `not exists (select from market.evidence_entries e where e.log_id = $1 and e.kind = '${kind}' and e.subject = ${name})`;

const MODEL = `m.model, m.model_id as "modelId", m.format, m.feature_schema as "featureSchema", m.calibration,
  m.created_at as "createdAt", m.created_by as "createdBy"`;
export const readUnsealedModels = rowsOf<ModelFacts, [logId: number, rowsMax: number]>(
  'read-unsealed-models',
  `select ${MODEL} from market.models m where ${notSealed('model', 'm.model')} order by m.created_at limit $2`,
);
export const readModels = rowsOf<ModelFacts, [models: readonly string[]]>(
  'read-sealed-models',
  `select ${MODEL} from market.models m where m.model = any ($1::text[])`,
);

const RULE_SET = `r.rule_set as "ruleSet", r.sha256, r.author, r.approved_by as "approvedBy", r.approved_at as "approvedAt"`;
export const readUnsealedRuleSets = rowsOf<RuleSetFacts, [logId: number, rowsMax: number]>(
  'read-unsealed-rule-sets',
  `select ${RULE_SET} from market.rule_sets r
    where r.approved_at is not null and ${notSealed('rule-set', 'r.rule_set')} order by r.approved_at limit $2`,
);
export const readRuleSets = rowsOf<RuleSetFacts, [ruleSets: readonly string[]]>(
  'read-sealed-rule-sets',
  `select ${RULE_SET} from market.rule_sets r where r.rule_set = any ($1::text[])`,
);

/** The stored hash, where the bytes have it: a hash and its bytes may each be another one. */
const checked = (stored: string, bytes: string) =>
  `case ${stored} when encode(sha256(${bytes}), 'hex') then ${stored} else 'another one' end`;
/** The versions of `readModels` and `readRuleSets`, with hashes of what is stored. */
export const hashModels = rowsOf<ModelFacts, [models: readonly string[]]>(
  'hash-sealed-models',
  `select ${MODEL.replace('m.model_id', checked('m.model_id', 'm.artefact'))} from market.models m where m.model = any ($1::text[])`,
);
export const hashRuleSets = rowsOf<RuleSetFacts, [ruleSets: readonly string[]]>(
  'hash-sealed-rule-sets',
  `select ${RULE_SET.replace('r.sha256', `${checked('r.sha256', `convert_to(r.source, 'UTF8')`)} as sha256`)}
     from market.rule_sets r where r.rule_set = any ($1::text[])`,
);
