/** `/v1/rule-sets/preview` and `/v1/rule-sets/catalogue`: what the editor of rule sets asks while somebody types. */
import { z } from 'zod';
import type { Api } from '../../core/room.ts';
import { currentRuleSet } from '../../core/score/rules/rule-sets.ts';
import { compileStored } from '../../core/store/rule-sets/rule-sets.ts';
import { readRuleSetsInForce } from '../../core/store/rule-sets/watch-rule-sets.ts';
import { checkFields } from '../../kit/http/body/body.ts';
import { answer, bodyOf, operation } from '../../kit/http/operation.ts';
import { InvalidFields } from '../../kit/words/field-error.ts';
import { DAY_MS } from '../../kit/words/utc-bucket.ts';
import { describeNames } from './catalogue-names.ts';
import type { ReadDays } from './day-sample.ts';
import { listFields } from './metadata-fields.ts';
import {
  catalogueExample,
  catalogueNameSchema,
  type PreviewJson,
  previewExample,
  previewedExample,
  previewedSchema,
  previewSchema,
} from './preview-record.ts';
import { previewRuleSet } from './preview-rule-set.ts';
import { findKnown, refuse } from './rule-set-change.ts';
import { BODY_BYTES_MAX, chooseRuleSet } from './try-rule-set.ts';

export type PreviewParts = Pick<Api, 'databases'> & { readonly readDays: ReadDays };

async function preview(
  { databases: { primary }, readDays }: PreviewParts,
  ruleSet: Parameters<typeof previewRuleSet>[0],
  asked?: Parameters<ReadDays>[0],
  signal?: AbortSignal,
): Promise<PreviewJson> {
  const inForce = await readRuleSetsInForce(primary);
  const activeIn = (corridor: string) => inForce.get(corridor)?.active ?? currentRuleSet;
  return await previewRuleSet(ruleSet, await readDays(asked), activeIn, signal);
}

/** @throws Failure `conflict` where the submission takes a word of its own */
export async function refuseManyDeclines(parts: PreviewParts, name: string): Promise<void> {
  const row = await findKnown(parts.databases.primary.query, name);
  // Other states are refused by the submission itself.
  if (row.state !== 'draft') return;
  const { refusal } = await preview(parts, compileStored(row));
  if (refusal !== null) refuse(refusal);
}

/** A day that is not over has scores to come, while its sample stays in memory. */
function refuseToday(day: number | undefined, nowMs: number): void {
  if (day === undefined || day + DAY_MS <= nowMs) return;
  throw new InvalidFields([{ pointer: '/day', detail: 'must be a UTC day before today' }]);
}

const writing = { roles: ['analyst', 'risk_officer'] } as const;

export const previewOperations = [
  operation({
    method: 'post',
    ...writing,
    at: '/v1/rule-sets/preview',
    operationId: 'previewRuleSet',
    summary: 'What a rule set would have decided yesterday or before, and the health of its rules',
    description:
      'The first request of ten minutes for these days and this corridor reads the sample, in some seconds; then an answer takes less than one.',
    'x-writes-nothing': true,
    body: {
      ...bodyOf(previewedSchema, previewedExample),
      bytesMax: BODY_BYTES_MAX,
      // The source is checked by its own reader.
      read: (value) => checkFields(previewedSchema, value),
    },
    answers: {
      200: answer('Beside what is in force, on the same scores.', previewSchema, previewExample),
    },
    problems: [404],
    run: async ({ c, body }, parts: PreviewParts) => {
      const { signal } = c.req.raw;
      const { day, days, corridor } = body;
      refuseToday(day, parts.databases.now());
      try {
        const ruleSet = await chooseRuleSet(parts.databases.primary, body);
        const found = await preview(parts, ruleSet, { day, days, corridor }, signal);
        const isOfSubmission = [day, days, corridor].every((one) => one === undefined);
        return isOfSubmission ? found : { ...found, refusal: null };
      } catch (error) {
        // An editor gives up a preview with each change; nobody reads this answer.
        if (signal.aborted) return c.body(null, 204);
        throw error;
      }
    },
  }),
  operation({
    method: 'get',
    roles: ['analyst', 'operator', 'risk_officer'],
    at: '/v1/rule-sets/catalogue',
    operationId: 'readRuleCatalogue',
    summary: 'Names that expressions of rules may read, with their types and values of yesterday',
    answers: {
      200: answer(
        'Metadata fields first, then the transaction and the model, then features in their order.',
        z.object({ sampled: z.int(), items: z.array(catalogueNameSchema) }),
        { sampled: 20_000, items: [catalogueExample] },
      ),
    },
    run: async (_, { databases: { primary }, readDays }: PreviewParts) =>
      await describeNames(await readDays(), await listFields(primary.query)),
  }),
];
