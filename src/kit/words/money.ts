/** Money as people read it, on a terminal and in the console: by its currency, with separators of thousands. */

/** Sentences of reasons are made of features, which have two decimals of an amount. */
const SENTENCE_DECIMALS_MAX = 2;
/** The unit of features that hold money. */
const UNIT = ' currency units';
/** An amount in the sentence of a rule, where no other number has two decimals, or with its unit in one of a model. */
const AMOUNTS = /(?<![\d.])\d+\.\d{2}(?![\d.])|\d+(?:\.\d+)? currency units/g;

/** ISO 4217 gives every other currency 2. Intl follows CLDR, which leaves out what is little used, as of PKR. */
const DECIMALS: ReadonlyMap<string, number> = new Map(
  [
    'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
    '',
    '',
    'BHD IQD JOD KWD LYD OMR TND',
    'CLF UYW',
  ].flatMap((codes, decimals) => codes.split(' ').map((code) => [code, decimals] as const)),
);
const DECIMALS_ELSE = 2;

const formats = new Map<string, Intl.NumberFormat>();

function formatOf(currency: string, decimalsMax: number, locale: string | undefined) {
  const key = `${currency} ${decimalsMax} ${locale}`;
  const known = formats.get(key);
  if (known !== undefined) return known;
  const decimals = DECIMALS.get(currency) ?? DECIMALS_ELSE;
  const format = new Intl.NumberFormat(locale, {
    minimumFractionDigits: Math.min(decimals, decimalsMax),
    maximumFractionDigits: decimalsMax,
  });
  formats.set(key, format);
  return format;
}

/** `1,234.50 USD`, `1,234 JPY`, with all decimals that the decimal string has. @param locale absent: of the process or browser */
export function money(amount: string, currency: string, locale?: string, decimalsMax = 20): string {
  // The amount stays a string: as floating point it would lose digits.
  return `${formatOf(currency, decimalsMax, locale).format(amount as `${number}`)} ${currency}`;
}

/** The sentence of a reason with its amounts as money: stored sentences have plain numbers, and stay as they are. */
export const sayMoney = (sentence: string, currency: string, locale?: string): string =>
  sentence.replace(AMOUNTS, (text) =>
    money(text.replace(UNIT, ''), currency, locale, SENTENCE_DECIMALS_MAX),
  );
