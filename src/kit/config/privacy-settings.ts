/** Settings of personal data. A line of the file of keys has a name and base64 of 32 bytes; the first key wraps, all unwrap. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { toError } from '../words/failure.ts';

export type WrappingKey = { readonly keyId: string; readonly key: Buffer };
/** At least one; the first wraps. */
export type WrappingKeys = readonly [WrappingKey, ...WrappingKey[]];

const LINE = /^([A-Za-z0-9._-]{1,32}) ([A-Za-z0-9+/]{43}=)$/;

function privacyKeys() {
  return z.string().transform((path, context): WrappingKeys => {
    const refuse = (message: string) => {
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    };
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      return refuse(toError(error).message);
    }
    const keys: WrappingKey[] = [];
    for (const line of text.split('\n').filter((line) => line !== '')) {
      const [, keyId, base64] = LINE.exec(line) ?? [];
      if (keyId === undefined || base64 === undefined)
        return refuse('each line must be a name of 1 to 32 characters and base64 of 32 bytes');
      if (keys.some((key) => key.keyId === keyId)) return refuse(`names ${keyId} twice`);
      keys.push({ keyId, key: Buffer.from(base64, 'base64') });
    }
    const [first, ...more] = keys;
    return first === undefined ? refuse('must have a key') : [first, ...more];
  });
}

export const privacySettings = {
  RISK_PRIVACY_KEYS: privacyKeys()
    .optional()
    .describe(
      'File of keys that wrap the keys of subjects; each line has a name and base64 of 32 bytes. The first key wraps, all unwrap.',
    ),
  RISK_ERASURE_LEDGER: z
    .string()
    .min(1)
    .optional()
    .describe(
      'File that lists erasures, outside Postgres and its backups; all API processes of a market share one.',
    ),
};

const NAMES = Object.keys(privacySettings);

/** Names a setting that is missing beside the other one: without a ledger a restored backup undoes erasures. */
export function lonePrivacySettings(given: Readonly<Record<string, string | undefined>>): string[] {
  const set = NAMES.find((name) => given[name] !== undefined);
  if (set === undefined) return [];
  return NAMES.filter((name) => given[name] === undefined).map(
    (name) => `${name}: is needed where ${set} is set`,
  );
}
