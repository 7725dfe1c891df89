/** Scores, each with its vector: as the engine stores them, and as `double precision[]`. */
import { FEATURE_COUNT, FEATURE_SCHEMA } from '../../src/core/domain/feature-schema.ts';
import { comparePositions } from '../../src/core/domain/history.ts';
import { REASON_CODES, type ReasonCode } from '../../src/core/score/reason-codes.ts';
import type { NewScore } from '../../src/core/store/scores/score-values.ts';
import { insertScores } from '../../src/core/store/scores/scores.ts';
import { vectorChecksum } from '../../src/core/store/scores/vector-checksum.ts';
import {
  float8Array,
  int2Array,
  int4Array,
  textArray,
  timestampArray,
  uuidArray,
} from '../../src/kit/database/binary-array.ts';
import type { Database } from '../../src/kit/database/pool.ts';
import { toNewScores } from '../../test/support/delivered.ts';
import { createAloneScorer, RULE_SET } from './empty-history.ts';
import type { MadeBatch } from './made-rows.ts';
import type { Arm } from './statement-arms.ts';

const LINEAGE = { scoredAtMs: Date.UTC(2026, 0), featureSchema: FEATURE_SCHEMA };
const TABLES = [
  ...['scores', 'daily_increments', 'review_intake'],
  ...['webhook_intake', 'webhook_endpoints'],
];

export function scoreArms(): readonly Arm[] {
  const scoresOf = createScores();
  return [
    {
      ...{ name: 'bytea[] (the engine)', tables: TABLES, ddl: [] },
      store: (database, batch) => insertScores(database, scoresOf(batch), LINEAGE),
    },
    {
      ...{ name: 'float8[], sliced', tables: TABLES },
      ddl: [
        `alter table SCHEMA.scores drop constraint features_are_doubles,
           alter column features type double precision[] using null`,
      ],
      store: (database, batch) => insertFloat8(database, scoresOf(batch)),
    },
  ];
}

/** An empty history gives hardly a reason; stored scores have 0 to 3. */
const REASONS_MAX = 3;
const CODES = REASON_CODES.slice(0, 8);

const reasonsOf = (nth: number) =>
  Array.from({ length: nth % (REASONS_MAX + 1) }, (_, at) => {
    const { code, description } = CODES[(nth + at) % CODES.length] as ReasonCode;
    return { code, detail: description, contribution: 100 };
  });

/** Vectors are made once per batch, in the order of the primary key. */
function createScores(): (batch: MadeBatch) => readonly NewScore[] {
  const scoreAlone = createAloneScorer();
  const known = new Map<MadeBatch, readonly NewScore[]>();
  return (batch) => {
    const scores =
      known.get(batch) ??
      toNewScores(
        batch.transactions
          .map((one, nth) => {
            const { decision, features } = scoreAlone(one);
            const reasoned = { ...decision, reasons: reasonsOf(nth) };
            return {
              ...one,
              decision: reasoned,
              features,
              model: null,
              attempts: 1,
              degradation: 0,
              ruleSet: RULE_SET,
            };
          })
          .sort(comparePositions),
      );
    known.set(batch, scores);
    return scores;
  };
}

const float8Statement = {
  name: 'insert-float8-scores',
  text: `insert into market.scores (transaction_id, created_at, scored_at, account_id, corridor, score, risk, probability,
           verdict, reasons, features, feature_schema, rule_set, model, attempts, degradation, features_crc32)
         select transaction_id, created_at, to_timestamp($1::float8 / 1000), account_id, corridor, score, risk,
                probability, verdict, reasons::jsonb, ($13::float8[])[(row - 1) * $18::int + 1 : row * $18::int],
                $2::smallint, $3::text, model, attempts, degradation, features_crc32
           from (select unnest($4::uuid[]) as transaction_id, unnest($5::timestamptz[]) as created_at,
                        unnest($6::text[]) as account_id, unnest($7::text[]) as corridor,
                        unnest($8::smallint[]) as score, unnest($9::float8[]) as risk,
                        unnest($10::float8[]) as probability, unnest($11::text[]) as verdict,
                        unnest($12::text[]) as reasons, unnest($14::text[]) as model,
                        unnest($15::smallint[]) as attempts, unnest($16::smallint[]) as degradation,
                        unnest($17::integer[]) as features_crc32,
                        generate_series(1, cardinality($4::uuid[])) as row) s`,
};

async function insertFloat8(database: Database, rows: readonly NewScore[]): Promise<void> {
  const decisions = rows.map(({ decision }) => decision);
  const numbers = new Float64Array(rows.length * FEATURE_COUNT);
  for (const [at, { features }] of rows.entries()) numbers.set(features, at * FEATURE_COUNT);
  await database.query(float8Statement, [
    ...[LINEAGE.scoredAtMs, LINEAGE.featureSchema, RULE_SET],
    uuidArray(rows.map((row) => row.transaction.transactionId)),
    timestampArray(rows.map((row) => row.transaction.createdAtMs)),
    textArray(rows.map((row) => row.transaction.accountId)),
    textArray(rows.map((row) => row.transaction.corridor)),
    int2Array(decisions.map(({ score }) => score)),
    float8Array(decisions.map(({ risk }) => risk)),
    float8Array(decisions.map(({ probability }) => probability)),
    textArray(decisions.map(({ verdict }) => verdict)),
    textArray(decisions.map(({ reasons }) => JSON.stringify(reasons))),
    float8Array(numbers),
    textArray(rows.map((row) => row.model)),
    int2Array(rows.map((row) => row.attempts)),
    int2Array(rows.map((row) => row.degradation)),
    int4Array(rows.map((row) => vectorChecksum(row.features))),
    FEATURE_COUNT,
  ]);
}
