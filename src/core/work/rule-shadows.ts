/**
 * Shadows of rule sets: beside each score they decide for nobody, and flips are counted. Memory and table are bounded by shadows
 * and corridors; what a worker counted since its last write is lost with the worker.
 */
import type { Database } from '../../kit/database/pool.ts';
import { rowsOf } from '../../kit/database/statement.ts';
import type { Duty } from '../../kit/duties/run-duties.ts';
import { type Decision, VERDICTS } from '../domain/score-record.ts';
import type { Transaction } from '../domain/transaction.ts';
import type { Opinion } from '../score/judge.ts';
import type { CompiledRuleSet } from '../score/rules/compile-rule-set.ts';
import { type AnswerOf, inputsOf, recordInputs } from '../score/rules/rule-inputs.ts';
import type { RuleSetsInForce } from '../score/rules-in-force.ts';
import { score } from '../score/score.ts';

type Flips = {
  readonly rule_set: string;
  readonly corridor: string;
  scores: number;
  stricter: number;
  milder: number;
  failed: number;
  stricter_ids: string[];
  milder_ids: string[];
};

/** Transactions of each kind that are named. More: a row gets longer than anybody opens; the table refuses it. */
export const FLIP_IDS_MAX = 20;
const WRITE_EVERY_MS = 2000;

const add = rowsOf<object, [flips: string]>(
  'add-rule-set-flips',
  `insert into market.rule_set_flips as f
          (rule_set, corridor, scores, stricter, milder, failed, stricter_ids, milder_ids)
   select rule_set, corridor, scores, stricter, milder, failed, stricter_ids, milder_ids
     from jsonb_to_recordset($1::jsonb)
          as r (rule_set text, corridor text, scores bigint, stricter bigint, milder bigint, failed bigint,
                stricter_ids uuid[], milder_ids uuid[])
    order by rule_set, corridor
   on conflict (rule_set, corridor) do update
      set scores = f.scores + excluded.scores, stricter = f.stricter + excluded.stricter,
          milder = f.milder + excluded.milder, failed = f.failed + excluded.failed, to_at = now(),
          stricter_ids = (excluded.stricter_ids || f.stricter_ids)[1:${FLIP_IDS_MAX}],
          milder_ids = (excluded.milder_ids || f.milder_ids)[1:${FLIP_IDS_MAX}]`,
);

type Scored = Pick<Transaction, 'transactionId' | 'corridor' | 'currency'>;
/** A row that was scored. */
type Row = {
  readonly vector: Float64Array;
  readonly opinion: Opinion | null;
  readonly answerOf: AnswerOf;
  /** Index among the transactions that the answers are about. */
  readonly nth: number;
};
export type RuleShadows = {
  readonly of: (corridor: string) => readonly CompiledRuleSet[];
  /** Never throws: no score fails for a shadow. */
  readonly compare: (transaction: Scored, row: Row, decided: Decision) => void;
};
const NONE: readonly CompiledRuleSet[] = [];
export const NO_SHADOWS: RuleShadows = { of: () => NONE, compare: () => undefined };

/** @param inForce the rule sets as last read */
export function openRuleShadows(
  { query }: Pick<Database, 'query'>,
  inForce: () => RuleSetsInForce,
  isOff: () => boolean,
): RuleShadows & { readonly duty: Duty } {
  let counted = new Map<string, Flips>();
  const flipsOf = (ruleSet: string, corridor: string) => {
    const key = `${ruleSet} ${corridor}`;
    const known = counted.get(key);
    if (known !== undefined) return known;
    const counts = { scores: 0, stricter: 0, milder: 0, failed: 0 };
    const flips = { rule_set: ruleSet, corridor, ...counts, stricter_ids: [], milder_ids: [] };
    counted.set(key, flips);
    return flips;
  };
  const of = (corridor: string) => {
    const shadows = inForce().get(corridor)?.shadows ?? NONE;
    return shadows.length === 0 || isOff() ? NONE : shadows;
  };
  return {
    of,
    compare(transaction, { vector, opinion, answerOf, nth }, decided) {
      const { corridor } = transaction;
      for (const ruleSet of of(corridor)) {
        const flips = flipsOf(ruleSet.id, corridor);
        flips.scores++;
        try {
          const recorded = recordInputs(ruleSet, transaction, answerOf, nth);
          const inputs = inputsOf(ruleSet, transaction, recorded);
          const { verdict } = score({ vector, ruleSet, opinion, inputs });
          noteFlip(
            flips,
            VERDICTS.indexOf(verdict) - VERDICTS.indexOf(decided.verdict),
            transaction,
          );
        } catch {
          flips.failed++;
        }
      }
    },
    duty: {
      name: 'rule-shadows',
      everyMs: WRITE_EVERY_MS,
      async run() {
        if (counted.size === 0) return;
        const written = [...counted.values()];
        counted = new Map();
        await add(query, JSON.stringify(written));
      },
    },
  };
}

/** @param stricter above 0 where the shadow's verdict is stricter, below 0 where it is milder */
function noteFlip(flips: Flips, stricter: number, { transactionId }: Scored): void {
  if (stricter === 0) return;
  flips[stricter > 0 ? 'stricter' : 'milder']++;
  const ids = flips[stricter > 0 ? 'stricter_ids' : 'milder_ids'];
  ids.unshift(transactionId);
  if (ids.length > FLIP_IDS_MAX) ids.pop();
}
