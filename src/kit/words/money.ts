/** Formats money for terminals and the console: decimals of its currency, separators of thousands, the code. */

import { CURRENCIES } from './currencies.ts';

/** The most that Intl formats for sure; amounts have fewer. */
const DECIMALS_MAX = 20;
/** The unit of features that hold money. */
const UNIT = ' currency units';
/** Decimals of an amount in the sentence of a rule. */
const SAID_DECIMALS = 2;
/** Finds amounts: in the sentence of a rule no other number has two decimals, and in the sentence of a model amounts have a unit. */
const AMOUNTS = /(?<![\d.])\d+\.\d{2}(?![\d.])|\d+(?:\.\d+)? currency units/g;

/** Decimals of a code that is no currency. */
const DECIMALS_ELSE = 2;

const formats = new Map<string, Intl.NumberFormat>();

/** @param shownMax no more decimals than this are filled up with zeros */
function formatOf(
  currency: string,
  isRounded: boolean,
  locale: string | undefined,
  shownMax = DECIMALS_MAX,
) {
  const key = `${currency} ${isRounded} ${locale} ${shownMax}`;
  const known = formats.get(key);
  if (known !== undefined) return known;
  // Intl follows CLDR, which drops little used decimals, as of PKR.
  const decimals = CURRENCIES.get(currency)?.scale ?? DECIMALS_ELSE;
  const format = new Intl.NumberFormat(locale, {
    minimumFractionDigits: Math.min(decimals, shownMax),
    maximumFractionDigits: isRounded ? decimals : DECIMALS_MAX,
  });
  formats.set(key, format);
  return format;
}

/** `1,234.50 USD`, `1,234 JPY`, with all decimals of the string. @param locale by default that of the process or browser */
export function money(amount: string, currency: string, locale?: string): string {
  // The amount stays a string, because a number would lose digits.
  return `${formatOf(currency, false, locale).format(amount as `${number}`)} ${currency}`;
}

/** `1,251 JPY` of 1250.5: a statistic of amounts, which has more digits than money. */
export const roundedMoney = (amount: number, currency: string, locale?: string): string =>
  `${formatOf(currency, true, locale).format(amount)} ${currency}`;

/** The amount of the transaction in the sentence of a rule. */
const OWN_AMOUNT = /^Amount (\d+\.\d{2}) /;

/**
 * Formats the amounts in the sentence of a reason, which is stored with rounded numbers: a zero behind such a number would be
 * invented. @param amount exact, of the transaction, in place of the rounded number
 */
export function sayMoney(
  sentence: string,
  currency: string,
  { amount, locale }: { readonly amount?: string | undefined; readonly locale?: string } = {},
): string {
  const [, own] = OWN_AMOUNT.exec(sentence) ?? [];
  const isOwn = amount !== undefined && own === Number(amount).toFixed(SAID_DECIMALS);
  const format = formatOf(currency, true, locale, SAID_DECIMALS);
  return sentence.replace(AMOUNTS, (text, at: number) =>
    isOwn && at === 'Amount '.length
      ? money(amount, currency, locale)
      : `${format.format(Number(text.replace(UNIT, '')))} ${currency}`,
  );
}
