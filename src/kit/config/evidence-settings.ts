/** Settings of the log of evidence. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { toError } from '../words/failure.ts';
import { VISIBLE_ASCII } from '../words/plain-text.ts';
import { integer } from './numbers.ts';

/** URL of a prefix in a bucket, `s3://BUCKET/PREFIX`: bucket, and prefix with its slash. */
export const BUCKET_URL = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:\/[\w.=-]+)*)\/?$/;

/** Types of keys that sign checkpoints (c2sp.org/signed-note). */
const KEY_TYPES: readonly (string | undefined)[] = ['ed25519', 'ml-dsa-44'];

export const evidenceSettings = {
  RISK_EVIDENCE_KEYS: z
    .string()
    .transform((text, { issues }): readonly KeyObject[] =>
      text.split(',').flatMap((path) => {
        const read = readKey(path);
        if (typeof read !== 'string') return read;
        issues.push({ code: 'custom', message: `${path}: ${read}`, input: text });
        return [];
      }),
    )
    .optional()
    .describe(
      'PEM files of the private keys that sign checkpoints (Ed25519, ML-DSA-44), with commas between them; all workers need the same. Without keys nothing is sealed.',
    ),
  RISK_EVIDENCE_ORIGIN: z
    .string()
    .regex(/^[A-Za-z0-9._/-]{1,200}$/, 'letters, digits, dots, slashes and dashes, 200 at most')
    .default('risk-engine')
    .describe(
      'Name of the log of evidence in checkpoints, such as a URL of yours without `https://`; the engine appends the market. A new name begins a new log.',
    ),
  RISK_EVIDENCE_FOLDER: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Folder of published checkpoints, apart from the database; `evidence` in RISK_DATA_DIR by default.',
    ),
  RISK_EVIDENCE_BUCKET: z
    .string()
    .regex(BUCKET_URL, 's3://BUCKET/PREFIX')
    .optional()
    .describe(
      'Prefix in the object store for the newest checkpoint, `s3://BUCKET/PREFIX`, beside the folder; its versions keep older ones.',
    ),
  RISK_EVIDENCE_CHECKPOINT_SECONDS: integer(1, 86_400, 60).describe(
    'Time between two checkpoints while leaves are added; each checkpoint takes 4 KB of the folder.',
  ),
};

/** @returns a problem where the object store of checkpoints has no address or key */
export function loneBucket(given: Readonly<Record<string, unknown>>): readonly string[] {
  if (given['RISK_EVIDENCE_BUCKET'] === undefined) return [];
  return missingFor(given).map((name) => `${name}: must be set beside RISK_EVIDENCE_BUCKET`);
}

/** @returns why a file has no key that signs */
function readKey(path: string): KeyObject | string {
  try {
    const key = createPrivateKey(readFileSync(path));
    return KEY_TYPES.includes(key.asymmetricKeyType)
      ? key
      : 'must be a key of Ed25519 or ML-DSA-44';
  } catch (error) {
    return toError(error).message;
  }
}

const secret = () => z.string().regex(VISIBLE_ASCII, 'visible ASCII characters').optional();

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
