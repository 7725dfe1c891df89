/** Says what is wrong with a value in a sentence of ours: what is allowed, and what was given. */
import type { z } from 'zod';

type Issue = z.core.$ZodRawIssue;

/** A parse with these gives issues that `issueText` can say whole. */
export const DESCRIBED = { error: describeIssue, reportInput: true } as const;

/** Longest part of a given text that a message repeats. */
const SHOWN_CHARS_MAX = 64;
/** Most names that a message lists where nothing bounds how many there are. */
export const NAMED_MAX = 20;
/** Characters that a terminal obeys, or that nobody sees: controls, directions of writing, line ends, half pairs. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const KINDS: Readonly<Record<string, string>> = {
  array: 'an array',
  boolean: 'true or false',
  int: 'a whole number',
  null: 'null',
  number: 'a number',
  object: 'an object',
  record: 'an object',
  string: 'a string',
};

const FORMATS: Readonly<Record<string, string>> = { uuid: 'a UUID' };

/**
 * A predicate of the field, without a full stop. A schema's own words say what is allowed ("must be …"), and what was
 * given is added here, except where a check of several fields refuses their object or gives no input.
 * @param issue of a parse with DESCRIBED
 */
export function issueText({ code, input, message }: z.core.$ZodIssue): string {
  if (code === 'invalid_type' && input === undefined) return 'is required';
  const isOpen = /^must (?!not )/.test(message) && !message.includes(', not ');
  const isOfFields = code === 'custom' && (input === undefined || given(input) === 'an object');
  return isOpen && !isOfFields ? `${message}, not ${given(input)}` : message;
}

/**
 * The text of an issue whose schema has none of its own. Undefined where the issue is of a kind that no schema of ours
 * gives.
 */
function describeIssue(issue: Issue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'is required';
      return `must be ${KINDS[issue.expected] ?? issue.expected}, not ${given(issue.input)}`;
    case 'invalid_value':
      if (issue.input === undefined) return 'is required';
      return `must be ${oneOf(issue.values)}, not ${given(issue.input)}`;
    case 'too_small':
      return `must ${bound(issue.origin, 'at least', Number(issue.minimum))}, not ${size(issue.input)}`;
    case 'too_big':
      return `must ${bound(issue.origin, 'at most', Number(issue.maximum))}, not ${size(issue.input)}`;
    case 'invalid_format':
      return `must be ${FORMATS[issue.format] ?? `of the form ${issue.format}`}, not ${given(issue.input)}`;
    case 'unrecognized_keys':
      return `must not have ${oneOf(issue.keys, NAMED_MAX)}`;
    case 'invalid_union':
      return `must be of an allowed form, not ${given(issue.input)}`;
    default:
      return undefined;
  }
}

/** Allowed values, all of them: code or configuration bounds their number, otherwise `namedMax` does. */
export function oneOf(values: readonly unknown[], namedMax = values.length): string {
  const texts = values.slice(0, namedMax).map(given);
  if (values.length === 1) return texts.join();
  return `one of ${texts.join(', ')}${values.length > namedMax ? ', …' : ''}`;
}

function bound(origin: string, bounds: string, limit: number): string {
  if (origin === 'string') return `have ${bounds} ${plural(limit, 'character')}`;
  if (origin === 'array') return `have ${bounds} ${plural(limit, 'item')}`;
  return `be ${bounds} ${limit}`;
}

/** Size that a bound is compared with: characters of a text, items of a list, otherwise the value. */
function size(input: unknown): string {
  return typeof input === 'string' || Array.isArray(input) ? String(input.length) : given(input);
}

const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** A value as a message repeats it: short, texts in quotes. */
export function given(input: unknown): string {
  if (typeof input === 'string') return `'${shortText(input, SHOWN_CHARS_MAX)}'`;
  if (Array.isArray(input)) return 'an array';
  return typeof input === 'object' && input !== null ? 'an object' : String(input);
}

/** The beginning of a text, cut between characters; each that nobody sees becomes a replacement character. */
export function shortText(text: string, charsMax: number): string {
  // A character has one or two units of UTF-16; one unit more shows whether something is cut.
  const chars = [...text.slice(0, 2 * charsMax + 1)];
  const shown = chars.length > charsMax ? `${chars.slice(0, charsMax).join('')}…` : text;
  return shown.replaceAll(UNSEEN, '\u{fffd}');
}
