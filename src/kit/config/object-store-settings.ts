/** Settings of the object store. */
import { z } from 'zod';
import { VISIBLE_ASCII } from '../words/visible-ascii.ts';

const secret = () => z.string().regex(VISIBLE_ASCII, 'visible ASCII characters').optional();

/** URL of a prefix in a bucket, `s3://BUCKET/PREFIX`: bucket, and prefix with its slash. */
export const BUCKET_URL = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:\/[\w.=-]+)*)\/?$/;

export const objectStoreSettings = {
  RISK_S3_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'URL of the object store (S3 API) for archived months and checkpoints: https://s3.eu-central-1.amazonaws.com.',
    ),
  RISK_S3_REGION: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/, 'lower-case letters, digits and hyphens')
    .default('us-east-1')
    .describe('Region for which requests to the object store are signed.'),
  RISK_S3_ACCESS_KEY: secret().describe('Id of the key to the object store.'),
  RISK_S3_SECRET_KEY: secret().describe('Secret of the key to the object store.'),
};

const NEEDED = ['RISK_S3_ENDPOINT', 'RISK_S3_ACCESS_KEY', 'RISK_S3_SECRET_KEY'] as const;

/** @returns settings that the object store needs and that are missing */
export const missingFor = (given: Readonly<Record<string, unknown>>): readonly string[] =>
  NEEDED.filter((name) => given[name] === undefined);
