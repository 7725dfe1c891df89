/** Numbers, times and names as people read them: numbers by the browser's language, times in its zone. */
import {
  money as moneyIn,
  roundedMoney as roundedMoneyIn,
  sayMoney as sayMoneyIn,
} from '../../src/kit/words/money.ts';
import { isTwice, offsetName } from './parts/local-time.ts';

const COUNT = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const SHORT = new Intl.NumberFormat(undefined, {
  notation: 'compact',
  maximumSignificantDigits: 3,
});
const FEW = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 4 });
const TENTHS = new Intl.NumberFormat(undefined, {
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
});
const TWO_DIGITS = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 2 });
const CENTS = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const EXACT = new Intl.NumberFormat(undefined, { maximumFractionDigits: 6 });
const WEIGHT = new Intl.NumberFormat(undefined, {
  minimumFractionDigits: 4,
  maximumFractionDigits: 4,
});
const PERCENT = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 });

export const count = (value: number) => COUNT.format(value);
export const short = (value: number) => SHORT.format(value);
export const percent = (share: number) => PERCENT.format(share);
export const number = (value: number) => FEW.format(value);
/** Figures of a column, whose points stand below each other. */
export const tenths = (value: number) => TENTHS.format(value);
/** Money in a column whose currency stands elsewhere. */
export const cents = (value: number) => CENTS.format(value);
/** Figures that people compare or copy: rounded far behind what a person set. */
export const exact = (value: number) => EXACT.format(value);
/** `9.4`, `0.019`, `120`: how often one value is in another. */
export const ratio = (value: number) => (Math.abs(value) < 10 ? TWO_DIGITS : COUNT).format(value);
export const weightOf = (weight: number) => WEIGHT.format(weight);

/** `1,234.50 USD`. Amounts are decimal strings and never become numbers, which lose digits. */
export const money = (amount: string, currency: string) => moneyIn(amount, currency);
export const roundedMoney = (amount: number, currency: string) => roundedMoneyIn(amount, currency);
/** @param amount of the transaction, exact */
export const sayMoney = (sentence: string, currency: string, amount?: string) =>
  sayMoneyIn(sentence, currency, { amount });

type Money = { readonly amount: string; readonly currency: string };

/** The exact sum of each currency, as `300.00 USD, 5,000 JPY`. */
export function sumMoney(amounts: readonly Money[]): string {
  const groups = Map.groupBy(amounts, ({ currency }) => currency);
  return [...groups]
    .map(([currency, of]) => money(sumDecimals(of.map(({ amount }) => amount)), currency))
    .join(', ');
}

function sumDecimals(texts: readonly string[]): string {
  const parts = texts.map((text) => text.split('.'));
  const places = Math.max(0, ...parts.map(([, fraction = '']) => fraction.length));
  const units = parts.map(([whole = '0', fraction = '']) =>
    BigInt(whole + fraction.padEnd(places, '0')),
  );
  const sum = String(units.reduce((total, one) => total + one, 0n)).padStart(places + 1, '0');
  return places === 0 ? sum : `${sum.slice(0, -places)}.${sum.slice(-places)}`;
}

export function duration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 120) return `${FEW.format(Math.round(seconds * 10) / 10)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** Time left as a clock shows it: `4:05`, from an hour on `3 h 05 min`, from two days on `2 d 3 h`. */
export function timeLeft(leftMs: number): string {
  const seconds = Math.floor(Math.abs(leftMs) / 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const [minutes, hours] = [Math.floor(seconds / 60), Math.floor(seconds / 3600)];
  if (hours >= 48) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  if (hours >= 1) return `${hours} h ${two(minutes % 60)} min`;
  return `${minutes}:${two(seconds % 60)}`;
}

const DAY_TIME = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const WITH_YEAR = new Intl.DateTimeFormat(undefined, {
  dateStyle: 'medium',
  timeStyle: 'medium',
  hourCycle: 'h23',
});

const CLOCK = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });

/** `21:32:05` */
export const clock = (atMs: number) => CLOCK.format(atMs);

/** A time in the viewer's zone: with the year if it is not this year, and with the offset if the zone has the time twice. */
export function localTime(iso: string): string {
  const time = new Date(iso);
  const isThisYear = time.getFullYear() === new Date().getFullYear();
  const shown = (isThisYear ? DAY_TIME : WITH_YEAR).format(time);
  return isTwice(time.getTime()) ? `${shown} ${offsetName(time.getTime())}` : shown;
}

/** `2026-11-20 09:30:00.123 UTC` */
export const utcTime = (iso: string) => `${iso.replace('T', ' ').replace('Z', '')} UTC`;

/** A code as words; rules are spelled only so: `velocity count 1h` for `VELOCITY_COUNT_1H`. */
export const words = (code: string) => code.toLowerCase().replaceAll(/[_.-]/g, ' ');

const SETUP_OWNER = 'RISK_BOOTSTRAP_KEY';
const SETUP_KEY = 'the set-up key';

/** The name of a person, or words for the key of RISK_BOOTSTRAP_KEY, which belongs to no person. */
export const person = (name: string) =>
  name.replace(new RegExp(`^(key of )?${SETUP_OWNER}$`), SETUP_KEY);
/** The inverse of `person`: the name in the records of the API. */
export const recordedName = (text: string) => (text === SETUP_KEY ? `key of ${SETUP_OWNER}` : text);

/** Beginning and end of an id that is too long for a column. */
export function shortId(id: string, chars = 13): string {
  if (id.length <= chars) return id;
  const tail = Math.floor((chars - 1) / 2);
  return `${id.slice(0, chars - 1 - tail)}…${id.slice(-tail)}`;
}
