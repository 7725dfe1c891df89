/** Settings of archived months. */
import { z } from 'zod';

export const archiveSettings = {
  RISK_ARCHIVE_S3_LOCK: z
    .enum(['none', 'governance', 'compliance'])
    .default('none')
    .describe(
      'Object lock on the files of an archived month, for `--lock-years` of `archive month`.',
    ),
};
