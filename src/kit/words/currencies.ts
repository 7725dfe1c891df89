/**
 * Currencies by ISO 4217. Codes without a minor unit, as of gold and of tests, are no money that can be paid.
 * test/golden/currencies.test.ts compares the table with the published lists.
 */

/**
 * Codes by their decimal places, from 0 on; behind a code that was withdrawn since 2000 stands the month of its withdrawal. The
 * lists give withdrawn codes no decimal places: these are those of the JDK, and 2 for a code that it lacks.
 */
const CODES = [
  `ADP:2003-07 BEF:2002-03 BIF BYB:2001-01 BYR:2017-01 CLP DJF ESP:2002-03 GNF GRD:2002-03 ISK ITL:2002-03 JPY KMF KRW
   LUF:2002-03 MGF:2004-12 PTE:2002-03 PYG ROL:2005-06 RWF TPE:2002-11 TRL:2005-12 UGX UYI VND VUV XAF XOF XPF`,
  '',
  `AED AFA:2003-01 AFN ALL AMD ANG:2025-03 AOA AON:2000-02 AOR:2000-02 ARS ATS:2002-03 AUD AWG AYM:2005-10 AZM:2005-12 AZN
   BAM BBD BDT BGL:2003-11 BGN:2026-01 BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHC:2004-11 CHE CHF CHW CNY COP COU
   CRC CSD:2006-10 CUC:2021-06 CUP CVE CYP:2008-01 CZK DEM:2002-03 DKK DOP DZD ECS:2000-09 ECV:2000-09 EEK:2011-01 EGP ERN
   ETB EUR FIM:2002-03 FJD FKP FRF:2002-03 GBP GEL GHC:2008-01 GHP:2007-06 GHS GIP GMD GTQ GYD HKD HNL HRK:2023-01 HTG HUF
   IDR IEP:2002-03 ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL LTL:2014-12 LVL:2014-01 MAD MDL MGA MKD MMK
   MNT MOP MRO:2017-12 MRU MTL:2008-01 MUR MVR MWK MXN MXV MYR MZM:2006-06 MZN NAD NGN NIO NLG:2002-03 NOK NPR NZD PAB PEN
   PGK PHP PKR PLN QAR RON RSD RUB RUR:2004-01 SAR SBD SCR SDD:2007-07 SDG SEK SGD SHP SIT:2007-01 SKK:2009-01
   SLE SLL:2023-12 SOS SRD SRG:2003-12 SSP STD:2017-12 STN SVC SYP SZL THB TJR:2001-04 TJS TMM:2009-01 TMT TOP TRY TTD TWD
   TZS UAH USD USN USS:2014-03 UYU UZS VEB:2008-01 VED VEF:2018-08 VES WST XAD XCD XCG YER YUM:2003-07 ZAR ZMK:2012-12 ZMW
   ZWD:2008-08 ZWG ZWL:2024-09 ZWN:2006-09 ZWR:2009-06`,
  'BHD IQD JOD KWD LYD OMR TND',
  'CLF UYW',
];

type Currency = {
  /** Decimal places. */
  readonly scale: number;
  /** The last month of a withdrawn currency, as 2023-01. */
  readonly lastMonth?: string | undefined;
};

export const CURRENCIES: ReadonlyMap<string, Currency> = new Map(
  CODES.flatMap((codes, scale) =>
    (codes.match(/\S+/g) ?? []).map((code) => {
      const [name = '', lastMonth] = code.split(':');
      return [name, { scale, lastMonth }] as const;
    }),
  ),
);
