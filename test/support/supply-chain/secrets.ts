/** Recognizes secrets by formats that nothing else has. */
import { isWholeKey } from '../../../src/kit/access/api-key.ts';

const FORMATS: Readonly<Record<string, RegExp>> = {
  'private key': /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s*(?:\\n)?[A-Za-z0-9+/=]{20}/,
  'start of a private key': /^\+-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----$/,
  'key of AWS': /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/,
  'token of GitHub': /\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60})/,
  'token of GitLab': /\bglpat-[A-Za-z0-9_-]{20}/,
  'token of npm': /\bnpm_[A-Za-z0-9]{36}\b/,
  'token of Slack': /\bxox[abprs]-[0-9]{8,}-/,
  'key of Stripe': /\b[rs]k_live_[A-Za-z0-9]{20}/,
  'key of Google': /\bAIza[A-Za-z0-9_-]{35}\b/,
};
const KEY = /\brisk_(?:login_[0-9A-Za-z]{49}|[0-9A-Za-z]{9}_[0-9A-Za-z]{49})\b/g;

/** The kind of the first secret in a line; undefined where the line has none. */
export function secretIn(line: string): string | undefined {
  if (line.match(KEY)?.some(isWholeKey)) return 'key of the engine';
  return Object.entries(FORMATS).find(([, format]) => format.test(line))?.[0];
}
