/** Values of files as spreadsheets, data frames and databases write them: what means one thing alone is read, what was damaged is refused. */
import { given } from '../words/describe-issue.ts';

/**
 * Numbers that lost digits, became decimals or have their thousands apart, dates, errors and formulas of sheets, texts that an export
 * kept from being formulas, missing values, lost characters.
 */
const DAMAGED = [
  /^[+-]?\d+([.,]\d+e[+-]?|e[+-])\d{1,3}$/i,
  /^\d+[.,]0+$/,
  /^\d{1,3}(,\d{3}){3,}(\.\d+)?$/,
  /^(\d{1,2}-)?(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(?<=-...|...(?=-))(-\d{2})?$/,
  /^#(N\/A|REF!|NAME\?|VALUE!|DIV\/0!|NULL!|NUM!|#+)$/,
  /^="/,
  /^'[=+@'-]/,
  /^(nan|none|null|undefined|nat|<na>|\\n)$/i,
  /\ufffd/,
];

/** Why an id is none that a program gave; undefined of any other value. */
export function idDamage(value: unknown): string | undefined {
  if (typeof value !== 'string' || !DAMAGED.some((form) => form.test(value.trim())))
    return undefined;
  return `must be the id as your system has it, and ${given(value)} is what spreadsheets and data frames make of one: format the column as text and export it again, or say --ids-as-they-are`;
}

const TIME =
  /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?) ?(?:(Z|UTC)|([+-]\d{2})(?::?(\d{2}))?)$/;

/** A time with a zone as RFC 3339 has it, which tools write with a blank or a shorter zone. Any other value stays. */
export function zonedTime(value: unknown): unknown {
  const [, day, time, utc, hours, minutes = '00'] = TIME.exec(String(value).trim()) ?? [];
  if (day === undefined) return value;
  return `${day}T${time}${utc === undefined ? `${hours}:${minutes}` : 'Z'}`;
}

type Reviver = (
  this: unknown,
  name: string,
  value: unknown,
  context?: { source?: string },
) => unknown;

/** A number that is a member of the object itself, as the text has it: a double knows no zeros at the end. */
export function numberText(json: string, member: string): string | undefined {
  const texts = new Map<unknown, string | undefined>();
  const asWritten: Reviver = function (name, value, context) {
    if (name === member) texts.set(this, context?.source);
    return value;
  };
  const root: unknown = JSON.parse(json, asWritten);
  return texts.get(root);
}
