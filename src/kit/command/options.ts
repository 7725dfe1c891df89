/** Options of actions that are written by hand: the text of the usage and the check of the value are said once. */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { exactNumber } from '../words/exact-number.ts';
import { isUnavailable } from '../words/failure.ts';
import { type Month, parseMonth } from '../words/month.ts';
import { integerOption, parseArguments, UsageError, type Words, wordOption } from './command.ts';

/** An option of an action: `text` was given last, and `texts` are all. */
export type Option<Value = unknown> = {
  readonly says: string;
  readonly read: (flag: string, text: string | undefined, texts: readonly string[]) => Value;
};
/** Options as the usage shows them: `--from DATE`, and without a value `--all`. A text takes any value. */
export type Options = Readonly<Record<string, string | Option>>;

type NameOf<Shown> = Shown extends `--${infer Option}`
  ? Option extends `${infer Name} ${string}`
    ? Name
    : Option
  : never;
type ValueOf<Shown, Own> =
  Own extends Option<infer Value>
    ? Value
    : Shown extends `${string} ${string}`
      ? string | undefined
      : boolean;
/** Values by the names of their options. */
export type ValuesOf<Own extends Options> = {
  readonly [Shown in keyof Own as NameOf<Shown>]: ValueOf<Shown, Own[Shown]>;
};

/** For each action that asks the API. */
export const URL_OPTION = {
  '--url URL': 'The API (RISK_URL); its key is read from RISK_API_KEY',
} as const;

function need(flag: string, text: string | undefined): string {
  if (text === undefined) throw new UsageError(`${flag} is missing`);
  return text;
}

export const needed = (says: string): Option<string> => ({ says: `${says}; needed`, read: need });

const withDefault = (says: string, byDefault: unknown) =>
  byDefault === undefined || byDefault === null ? says : `${says} (${byDefault})`;

type Bounds = { readonly min: number; readonly max: number };

export const whole = <Default>(
  says: string,
  bounds: Bounds,
  byDefault: Default,
): Option<number | Default> => ({
  says: withDefault(says, byDefault),
  read: (flag, text) => integerOption(flag, text, bounds, byDefault),
});

export const decimal = (says: string, bounds: Bounds, byDefault: number): Option<number> => ({
  says: withDefault(says, byDefault),
  read: (flag, text = String(byDefault)) => numberOption(flag, text, bounds),
});

/** A number that a double holds exactly. */
export function numberOption(flag: string, text: string, { min, max }: Bounds): number {
  const value = exactNumber(text);
  if (value !== undefined && value >= min && value <= max) return value;
  const allowed = `a number from ${min} to ${max} that a double keeps`;
  throw new UsageError(`${flag} must be ${allowed}, not '${text}'`);
}

export const choice = <Word extends string>(
  says: string,
  words: readonly Word[],
  byDefault: Word,
): Option<Word> => ({
  says: withDefault(says, byDefault),
  read: (flag, text = byDefault) => wordOption(flag, text, words),
});

export const several = (says: string): Option<readonly string[]> => ({
  says,
  read: (_flag, _text, texts) => texts,
});

const isDate = (text: string) => z.iso.date().safeParse(text).success;
const isTime = (text: string) => z.iso.datetime({ offset: true }).safeParse(text).success;

/** Midnight, UTC, of a day that exists, as 2026-11-01. @throws UsageError */
export function dateOption(flag: string, text: string | undefined): number {
  const day = need(flag, text);
  if (isDate(day)) return Date.parse(day);
  throw new UsageError(`${flag} must be a date as 2026-11-01, not '${day}'`);
}

/** A date, which is its midnight, UTC, or an RFC 3339 time. @throws UsageError */
export function timeOption(flag: string, text: string | undefined): number {
  const time = need(flag, text);
  if (isDate(time) || isTime(time)) return Date.parse(time);
  throw new UsageError(`${flag} must be a date or an RFC 3339 time, not '${time}'`);
}

/** A month of UTC that a word or an option names. @throws UsageError */
export function monthOption(flag: string, text: string | undefined): Month {
  const month = parseMonth(need(flag, text));
  if (month !== undefined) return month;
  throw new UsageError(`${flag} must be a month as 2026-03, not '${text}'`);
}

const DAY_SECONDS = 86_400;
const TIMEOUT_SECONDS = 120;

export const timeout = (says: string) => whole(says, { min: 1, max: DAY_SECONDS }, TIMEOUT_SECONDS);

export const WAIT_SECONDS = 600;
/** For work that `patiently` tries. */
export const WAIT_OPTION = {
  '--wait-seconds N': whole(
    'How long it waits for open database transactions',
    { min: 0, max: DAY_SECONDS },
    WAIT_SECONDS,
  ),
} as const;

const RETRY_EVERY_MS = 500;

/** Tries again while an open database transaction blocks the work; the last failure is the command's. */
export async function patiently<T>(
  waitSeconds: number,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const endMs = performance.now() + waitSeconds * 1000;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isUnavailable(error) || performance.now() > endMs || signal.aborted) throw error;
      await delay(RETRY_EVERY_MS);
    }
  }
}

export const saysOf = (option: string | Option) =>
  typeof option === 'string' ? option : option.says;

const FLAG = { type: 'boolean' } as const;
const TEXTS = { type: 'string', multiple: true } as const;

const namedIn = (options: Options) =>
  Object.entries(options).map(([shown, option]) => {
    const [name = '', value] = shown.slice('--'.length).split(' ');
    return { name, option, isFlag: value === undefined };
  });

const parsedOf = (options: Options) =>
  Object.fromEntries(namedIn(options).map(({ name, isFlag }) => [name, isFlag ? FLAG : TEXTS]));

function readValues<Own extends Options>(
  options: Own,
  given: Readonly<Record<string, unknown>>,
): ValuesOf<Own> {
  const values = namedIn(options).map(({ name, option, isFlag }) => {
    if (isFlag) return [name, given[name] === true];
    const texts = [given[name] ?? []].flat().map(String);
    const text = texts.at(-1);
    return [name, typeof option === 'string' ? text : option.read(`--${name}`, text, texts)];
  });
  // The names and values follow from the options, which TypeScript cannot see.
  return Object.fromEntries(values) as ValuesOf<Own>;
}

/** Reads options and words. @throws UsageError */
export function readArguments<Own extends Options>(args: string[], options: Own, words: Words) {
  const { values, positionals } = parseArguments(args, parsedOf(options), words);
  return { values: readValues(options, values), words: positionals };
}
