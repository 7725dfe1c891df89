/** Scores, each with its vector: as the engine stores them, and as raw doubles. */
import { FEATURE_SCHEMA } from '../../src/core/domain/feature-schema.ts';
import { comparePositions } from '../../src/core/domain/history.ts';
import { REASON_CODES, type ReasonCode } from '../../src/core/score/reason-codes.ts';
import type { NewScore } from '../../src/core/store/scores/score-values.ts';
import { insertScores } from '../../src/core/store/scores/scores.ts';
import { byteaArray } from '../../src/kit/database/binary-array.ts';
import type { Database } from '../../src/kit/database/pool.ts';
import { toNewScores } from '../../test/support/delivered.ts';
import { createAloneScorer, RULE_SET } from './empty-history.ts';
import type { MadeBatch } from './made-rows.ts';
import type { Arm } from './statement-arms.ts';

const LINEAGE = { scoredAtMs: Date.UTC(2026, 0), featureSchema: FEATURE_SCHEMA };
const TABLES = [
  ...['scores', 'daily_increments', 'review_intake'],
  ...['webhook_intake', 'webhook_endpoints', 'open_rows', 'open_increments'],
];
/** No corridor is stopped. */
const DDL = [
  `create function SCHEMA.refuse_stopped(text[]) returns boolean language sql as 'select true'`,
];

export function scoreArms(): readonly Arm[] {
  const scoresOf = createScores();
  return [
    {
      ...{ name: 'packed (the engine)', tables: TABLES, ddl: DDL },
      store: (database, batch) => insertScores(database, scoresOf(batch), LINEAGE),
    },
    {
      ...{ name: 'bytea[] of raw doubles', tables: TABLES, ddl: DDL },
      store: (database, batch) => insertRaw(database, scoresOf(batch)),
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

/** Where the parameters of the statement have the vectors. */
const VECTORS_AT = 12;

async function insertRaw(database: Database, rows: readonly NewScore[]): Promise<void> {
  const raw = byteaArray(rows.map(({ features }) => features));
  const query: Database['query'] = (statement, values = []) =>
    database.query(statement, values.with(VECTORS_AT, raw));
  await insertScores({ ...database, query }, rows, LINEAGE);
}
