/** Settings of webhooks: keys of their secrets, and where they may go. */
import { z } from 'zod';

const KEY_BYTES = 32;

export const webhookSettings = {
  RISK_WEBHOOK_KEYS: z
    .string()
    .transform((text, context) => {
      const keys = text.split(',').map((key) => Buffer.from(key, 'base64'));
      if (keys.every((key) => key.length === KEY_BYTES)) return keys;
      context.addIssue({ code: 'custom', message: 'base64 of 32 bytes, several with commas' });
      return z.NEVER;
    })
    .optional()
    .describe(
      'Keys that encrypt the secrets of webhooks in Postgres, base64 of 32 bytes each: the first encrypts, all decrypt. Without one the secrets are stored as they are.',
    ),
  RISK_WEBHOOK_LOOPBACK: z
    .enum(['refuse', 'allow'])
    .default('refuse')
    .describe(
      'allow: webhooks may go to this machine itself, by http too. For development and tests.',
    ),
};
