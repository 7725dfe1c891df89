/** The header `Idempotency-Key`: plain, or a structured-field string (RFC 8941) in double quotes. */
import { DESCRIBED, issueText } from '../../words/describe-issue.ts';
import { InvalidFields } from '../../words/field-error.ts';
import { KEY_CHARS_MAX, plainText } from '../../words/plain-text.ts';

/** Headers have no encoding: Node reads Latin-1 and curl sends UTF-8, so only ASCII is the same key in each client. */
const ASCII = /^[\x20-\x7e]*$/;
const QUOTED = /^"((?:[^"\\]|\\["\\])*)"$/;
const KEY = plainText(KEY_CHARS_MAX);

/**
 * @param pointer names the key in the refusal
 * @param advice is added where the key is no ASCII
 */
export function readKeyHeader(
  header: string | undefined,
  pointer = '/Idempotency-Key',
  advice = '',
): string | undefined {
  if (header === undefined) return undefined;
  const refuse = (detail: string) => new InvalidFields([{ pointer, detail }]);
  const text = header.trim();
  if (!ASCII.test(text)) throw refuse(`in the header Idempotency-Key must be ASCII${advice}`);
  const key = QUOTED.exec(text)?.[1]?.replaceAll(/\\(["\\])/g, '$1') ?? text;
  const parsed = KEY.safeParse(key, DESCRIBED);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw refuse(`in the header Idempotency-Key ${issue ? issueText(issue) : 'is invalid'}`);
}
