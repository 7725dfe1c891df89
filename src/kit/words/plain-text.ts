/** Texts of the wire that people and programs choose. */
import { z } from 'zod';
import { given } from './describe-issue.ts';

/** Visible ASCII without spaces: what a header may carry as a token, and names of models consist of. */
export const VISIBLE_ASCII = /^[!-~]+$/;

/** Characters of an id. */
export const ID_CHARS_MAX = 128;

/** Characters of an idempotency key. */
export const KEY_CHARS_MAX = 255;

/** The pattern of the document: programs in other languages know no `\p{Cc}`, and UTF-8 has no surrogates. */
const PUBLISHED_PATTERN = '^[^\\x00-\\x1f\\x7f-\\x9f]+$';

const described = (charsMax: number) => ({
  minLength: 1,
  maxLength: charsMax,
  override: { pattern: PUBLISHED_PATTERN },
});

/** Says what is wrong with a text, or undefined. Characters are code points, as Postgres counts them. */
function problemOf(text: string, charsMax: number): string | undefined {
  if (text.length === 0) return 'must not be empty';
  if (!text.isWellFormed()) return 'must not contain lone surrogates';
  if (/\p{Cc}/u.test(text)) return 'must not contain control characters';
  // A character has one or two units of UTF-16.
  const chars = text.length <= charsMax ? 0 : [...text].length;
  return chars > charsMax ? `must have at most ${charsMax} characters, not ${chars}` : undefined;
}

/** A text that people read, as a reason or a note: no control characters, no lone surrogates. */
export function plainText(charsMax: number) {
  const pattern = new RegExp(`^[^\\p{Cc}\\p{Cs}]{1,${charsMax}}$`, 'u');
  return z
    .string()
    .regex(pattern, { error: ({ input }) => problemOf(String(input), charsMax), abort: true })
    .meta(described(charsMax));
}

/** Larger: a line of the audit log is a page. Smaller: the name of an order of a court does not fit. */
export const REASON_CHARS_MAX = 500;
/** A character that people see: no blank, no format or filler character, and not the blank of Braille. */
const SEEN = /[^\p{Z}\p{Cc}\p{Cf}\p{DI}\u2800]/u;
/** Why somebody does something. */
export const whyText = (charsMax: number) =>
  plainText(charsMax).refine((text) => SEEN.test(text), 'must not be blank');
/** Why somebody changes something, for colleagues and the audit log. */
export const reasonText = whyText(REASON_CHARS_MAX);
/** The reason of a request. */
export const reasonField = reasonText.meta({ description: 'For the audit log.' });

function isBlankAt(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit < 0x80 ? unit === 0x20 || unit === 0x09 : /\p{Zs}/u.test(text.charAt(at));
}

/** The text without blanks at its edges, no-break spaces and tabs among them: people and programs put them there unseen. */
export function trimBlanks(text: string): string {
  let [from, to] = [0, text.length];
  while (from < to && isBlankAt(text, from)) from++;
  while (to > from && isBlankAt(text, to - 1)) to--;
  return text.slice(from, to);
}

const ASCII = /^[!-~][ -~]*$/;
/** Whether the text is ASCII without blanks at its edges, as nearly all ids are: such a text is never normalised. */
const isPlain = (text: string) => ASCII.test(text) && text.charCodeAt(text.length - 1) !== 0x20;

/** The one spelling by which ids are stored, compared and shown: NFC (Unicode, annex 15), without blanks at the edges. */
export const spellId = (text: string): string =>
  isPlain(text) ? text : trimBlanks(text).normalize('NFC');

/** Characters that nobody sees: of format, as zero-width and direction marks, fillers, ends of lines. */
const UNSEEN = /[\p{Cf}\p{DI}\p{Zl}\p{Zp}]/u;
/** Names of steps in a path: clients and proxies take a segment of these alone out of every URL, escaped or not. */
export const isPathStep = (text: string): boolean => text === '.' || text === '..';
export const NO_SEGMENT = 'must be a name that a URL can carry';

function idProblem(text: string, charsMax: number): string | undefined {
  if (isPathStep(text)) return `${NO_SEGMENT}, not '${text}'`;
  const unseen = UNSEEN.exec(text)?.[0].codePointAt(0);
  if (unseen === undefined) return problemOf(text, charsMax);
  const code = unseen.toString(16).toUpperCase().padStart(4, '0');
  return `must have no characters that nobody sees, not U+${code} in ${given(text)}`;
}

/**
 * An id or a name by which people and programs find something. It becomes its one spelling, in which it is compared, kept and
 * answered. The text has one check, as kit/http/body/sure-check.ts asks: `tx` gives undefined for a text that is refused.
 */
export function idText(charsMax: number) {
  const def = {
    check: 'overwrite',
    tx: (text: string) => {
      if (text.length > '..'.length && text.length <= charsMax && isPlain(text)) return text;
      const spelled = spellId(text);
      return idProblem(spelled, charsMax) === undefined ? spelled : undefined;
    },
  };
  const check = new z.core.$ZodCheck(def);
  check._zod.check = (payload) => {
    const input: string = payload.value;
    payload.value = spellId(input);
    const message = idProblem(payload.value, charsMax);
    if (message !== undefined) payload.issues.push({ code: 'custom', message, input });
  };
  return z.string().check(check).meta(described(charsMax));
}
