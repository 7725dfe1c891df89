/** Settings of archived months: their object store, and the key of their files. */
import { z } from 'zod';
import { VISIBLE_ASCII } from '../words/visible-ascii.ts';

const secret = () => z.string().regex(VISIBLE_ASCII, 'visible ASCII characters').optional();

export const archiveSettings = {
  RISK_ARCHIVE_KEY_FILE: z
    .string()
    .min(1)
    .optional()
    .describe(
      'File with the key by which the API reads single transactions of encrypted cold months.',
    ),
  RISK_ARCHIVE_S3_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'URL of the object store (S3 API) for archived months: https://s3.eu-central-1.amazonaws.com.',
    ),
  RISK_ARCHIVE_S3_REGION: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/, 'lower-case letters, digits and hyphens')
    .default('us-east-1')
    .describe('Region for which requests to the object store are signed.'),
  RISK_ARCHIVE_S3_ACCESS_KEY: secret().describe('Id of the key to the object store.'),
  RISK_ARCHIVE_S3_SECRET_KEY: secret().describe('Secret of the key to the object store.'),
  RISK_ARCHIVE_S3_LOCK: z
    .enum(['none', 'governance', 'compliance'])
    .default('none')
    .describe(
      'Object lock on the files of an archived month, for `--lock-years` of `archive month`.',
    ),
};
