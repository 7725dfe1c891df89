/** ISO 4217 as test/golden/iso-4217.py prints the standard from its published lists. */

export type Iso4217 = {
  readonly published: string;
  readonly minor_units: Readonly<Record<string, number>>;
  /** Codes without a minor unit. */
  readonly no_money: readonly string[];
  /** The last month of a code that is no longer in force, as 2023-01; of some old ones a span of years. */
  readonly withdrawn: Readonly<Record<string, string>>;
};

/** Units of railways and of gold, which the lists of withdrawn codes give no decimal places. */
const NO_MONEY = ['XFO', 'XFU'];

/** Codes in force with their decimal places, and codes withdrawn since 2000, where the first payments are. */
export function tableOf({ minor_units: minorUnits, withdrawn }: Iso4217) {
  const since2000 = Object.entries(withdrawn).filter(
    ([code, month]) => month >= '2000' && !NO_MONEY.includes(code),
  );
  return { minorUnits, lastMonths: Object.fromEntries(since2000) };
}
