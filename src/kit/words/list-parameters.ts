/**
 * Query parameters that the lists share. A time is a day in UTC or needs a zone; `from` is inclusive, `to` exclusive;
 * pages are bounded; an invalid cursor is refused.
 */
import { z } from 'zod';
import { codeError } from './code-error.ts';
import { decodeCursor } from './cursor.ts';
import { exactNumber } from './exact-number.ts';
import { ID_CHARS_MAX, idText } from './plain-text.ts';
import { DAY_OR_TIME, dayOrTime } from './wire-time.ts';

const PAGE_LIMITS = { rowsDefault: 50, rowsMax: 200 } as const;

const INTEGER = /^\d+$/;

/** A whole number given as text in the query string; to the document it is an integer. */
export const integerParameter = (min: number, max: number) =>
  z
    .string()
    .refine(
      (text) => INTEGER.test(text) && Number(text) >= min && Number(text) <= max,
      `must be a whole number from ${min} to ${max}`,
    )
    .transform(Number)
    .meta({ override: { type: 'integer', minimum: min, maximum: max } });

const NUMBERS = {
  integer: { form: INTEGER, words: 'a whole number' },
  number: { form: /^\d+(\.\d+)?$/, words: 'a number' },
} as const;

/** A number of the query string that is not negative. */
export const numberParameter = (
  type: keyof typeof NUMBERS,
  [min, max]: readonly [number, number],
  description: string,
) => {
  const { form, words } = NUMBERS[type];
  return z
    .string()
    .refine((text) => form.test(text) && Number(text) >= min && Number(text) <= max, {
      error: `must be ${words} from ${min} to ${max}`,
      abort: true,
    })
    .refine((text) => exactNumber(text) !== undefined, 'must be a number that a double keeps')
    .transform(Number)
    .meta({ override: { type, minimum: min, maximum: max } })
    .optional()
    .meta({ description });
};

/**
 * Metadata of an optional parameter, whose example is only shown: `example` in place of `examples` would be sent by
 * /docs. Zod leaves examples of what is transformed out, hence `override`.
 */
export const shown = (example: unknown, description: string) => ({
  description,
  override: { examples: [example] },
});

export const timeParameter = dayOrTime
  .transform((text) => Date.parse(text))
  .meta({ override: { type: 'string', pattern: DAY_OR_TIME.source } });

export const idParameter = idText(ID_CHARS_MAX);

const CORRIDOR = /^[A-Z]{2}-[A-Z]{2}$/;

/** A corridor's form, in queries and bodies; the market says which there are. */
export const corridorParameter = z.string().regex(
  CORRIDOR,
  codeError((text) => CORRIDOR.test(text), 'must be SOURCE-DESTINATION, as US-EG'),
);

export const corridorFilter = corridorParameter
  .optional()
  .meta(shown('US-EG', 'Only this corridor.'));

/** Most rows of a page. */
export const pageLimit = integerParameter(1, PAGE_LIMITS.rowsMax)
  .default(PAGE_LIMITS.rowsDefault)
  .meta({
    description: 'Rows of a page, at most.',
    override: { default: PAGE_LIMITS.rowsDefault },
  });

/** Description of every `cursor`. */
export const CURSOR_DESCRIPTION = '`next_cursor` of the page before; absent for the first page.';

/** The query of a list in the order of names. @param name what a name may be */
export const cursorOfNames = <Name extends z.ZodType<string>>(name: Name, example: string) =>
  z.strictObject({
    cursor: name.optional().meta({ description: CURSOR_DESCRIPTION, examples: [example] }),
  });

const COUNTED = /^[1-9]\d{0,17}$/;

/** An id that ascends by one a row. */
export const countedId = (what: string) => z.string().regex(COUNTED, `must be ${what}`);

/** `limit` and `cursor` of a list in the order of such ids. */
export const countedPage = {
  limit: pageLimit,
  cursor: countedId('the next_cursor of this list')
    .optional()
    .meta(shown('41', CURSOR_DESCRIPTION)),
};

/** A flag of the query string; to the document it is a boolean. */
export const flagParameter = z
  .enum(['true', 'false'])
  .transform((text) => text === 'true')
  .meta({
    override: ({ jsonSchema }) => {
      delete jsonSchema.enum;
      jsonSchema.type = 'boolean';
    },
  });

/** A cursor that `decode` reads; undefined where it is of another list. */
export const cursorParameter = <Position>(decode: (text: string) => Position | undefined) =>
  z
    .string()
    .transform((text, context) => {
      const position = decode(text);
      if (position !== undefined) return position;
      const message = 'must be the next_cursor of this list';
      context.addIssue({ code: 'custom', message, input: text });
      return z.NEVER;
    })
    .optional();

/** `limit` and `cursor`, the latter decoded to the position it stands for. */
export const pageParameters = {
  limit: pageLimit,
  cursor: cursorParameter(decodeCursor).meta(
    shown('AAABofhKlcABofhKlcBwAIAAAAAAAAAq', CURSOR_DESCRIPTION),
  ),
};
