/** Texts of the wire that people and programs choose. */
import { z } from 'zod';

/** Characters of an id. */
export const ID_CHARS_MAX = 128;

/** Characters of an idempotency key. */
export const KEY_CHARS_MAX = 255;

/** The pattern of the document: programs in other languages know no `\p{Cc}`, and UTF-8 has no surrogates. */
const PUBLISHED_PATTERN = '^[^\\x00-\\x1f\\x7f-\\x9f]+$';

/** Characters are code points, as Postgres counts them: no control characters, no lone surrogates. */
export function plainText(charsMax: number) {
  const pattern = new RegExp(`^[^\\p{Cc}\\p{Cs}]{1,${charsMax}}$`, 'u');
  const problem = (text: string) => {
    if (text.length === 0) return 'must not be empty';
    if (!text.isWellFormed()) return 'must not contain lone surrogates';
    if (/\p{Cc}/u.test(text)) return 'must not contain control characters';
    return `must have at most ${charsMax} characters, not ${[...text].length}`;
  };
  return z
    .string()
    .regex(pattern, { error: (issue) => problem(String(issue.input)) })
    .meta({
      minLength: 1,
      maxLength: charsMax,
      override: { pattern: PUBLISHED_PATTERN },
    });
}
