/** The policy of a scorecard, as two people approve it: the artefact of a model, and the value of the control that puts it in force. */
import { z } from 'zod';

export const POLICY_FORMAT = 'scorecard-policy-json';
/** Name of policies among models, whose names have a version. */
export const POLICY = 'scorecard-policy';

/** Shares of which a table knows the bands. */
export const shareSchema = z
  .number()
  .min(0.001)
  .max(0.1)
  .multipleOf(0.001, 'must be a multiple of 0.001');

export const policySchema = z
  .strictObject({
    format: z.literal(POLICY_FORMAT),
    measures_left_out: z
      .array(z.string().max(128))
      .max(64)
      .meta({ description: 'Measures that add no points.' }),
    review_share: shareSchema.meta({
      description: 'Largest share of payments that are reviewed or declined.',
    }),
    decline_share: shareSchema.meta({
      description: 'Largest share of payments that are declined.',
    }),
    bound: z.number().min(0.001).max(0.05).meta({
      description:
        'Largest share of verdicts that a night changes; two people take any other table.',
    }),
    ends_at: z.iso.datetime(),
  })
  .refine(({ review_share, decline_share }) => decline_share <= review_share, {
    path: ['decline_share'],
    error: ({ input }) => {
      const { review_share, decline_share } = Object(input);
      return `must be at most review_share, ${review_share}, not ${decline_share}`;
    },
  })
  .meta({ id: 'ScorecardPolicy' });
export type PolicyValue = z.output<typeof policySchema>;
export type PolicyTerms = Omit<PolicyValue, 'format' | 'ends_at'>;

/**
 * By these terms nights are compared without a policy. A larger bound: a night reaches more payments before people look. A smaller
 * bound: people are asked about nights as they are every week.
 */
export const DEFAULT_TERMS: PolicyTerms = {
  ...{ measures_left_out: [], review_share: 0.01, decline_share: 0.001, bound: 0.01 },
};
