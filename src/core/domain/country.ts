/**
 * ISO 3166-1 alpha-2: the officially assigned codes, and XK, which payments use for Kosovo. A code that ISO assigns later
 * is refused until it is listed here.
 */
const CODES = `
  AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
  CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO
  FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE
  JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO
  MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW
  PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM
  TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW`;
const COUNTRIES = new Set(CODES.trim().split(/\s+/));

/**
 * The fault of a country, beside its form. An end of the corridor is none, as features compare the country with it: a
 * corridor may be named UK-NG.
 */
export function countryProblem(country: string, corridor: string): string | undefined {
  if (COUNTRIES.has(country) || corridor.split('-').includes(country)) return undefined;
  if (country === 'UK') return 'must be GB, the ISO 3166 code of the United Kingdom';
  return 'must be an ISO 3166 alpha-2 code, as US; leave out a country that is unknown';
}
