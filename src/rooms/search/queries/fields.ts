/** The parameter `fields` of searches and of single reads: what it may name, and what the document says. */
import { z } from 'zod';
import { scoreSchema } from '../../../core/domain/score-record.ts';
import {
  foundTransactionSchema,
  storedTransactionSchema,
} from '../../../core/domain/transaction-record.ts';
import { readFields, shownFields } from '../../../kit/words/selected-fields.ts';

const ID = 'transaction_id';
/** Says that value must not be released: an answer has it, whatever is asked for. */
const ALWAYS = ['releases_held'];
const namesOf = ({ shape }: z.ZodObject) =>
  Object.keys(shape).filter((name) => !ALWAYS.includes(name));

/** Names that `fields` may have, by what an answer consists of. */
export const FIELD_NAMES = {
  score: namesOf(scoreSchema),
  transaction: [...namesOf(storedTransactionSchema), 'final_decision'],
  foundTransaction: [
    ...namesOf(foundTransactionSchema),
    ...namesOf(scoreSchema).map((name) => `score.${name}`),
  ],
} as const;

export const fieldsParameter = (names: readonly string[], example: string, more = '') =>
  z
    .string()
    .transform(readFields(names, ID))
    .optional()
    .meta(
      shownFields(
        names,
        example,
        `Fields that the answer has, with commas between them, all by default; \`${ID}\` always is one.${more}`,
      ),
    );

/** A schema with the fields that a request names, in place of all. */
const selected = <Shape extends z.ZodRawShape>(schema: z.ZodObject<Shape>, id: string) =>
  schema
    .partial()
    .extend({ [ID]: z.uuid() })
    .meta({ id, description: 'With `fields`: those that it names.' });

export const scoreSelected = selected(scoreSchema, 'ScoreSelected');
export const foundTransactionSelected = selected(
  foundTransactionSchema.extend({ score: scoreSchema.partial().nullable() }),
  'FoundTransactionSelected',
);
export const transactionSelected = <Shape extends z.ZodRawShape>(detail: z.ZodObject<Shape>) =>
  selected(detail, 'TransactionDetailSelected');
