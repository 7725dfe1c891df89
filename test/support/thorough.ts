/** True in `npm run long`, which proves whole what `npm test` proves in part: more kills, more runs, longer loads. */
export const THOROUGH = process.env['RISK_TEST_THOROUGH'] === '1';

/** Runs of a property whose `whole` runs take seconds of processor time: a quarter of them in `npm test`. */
export const runsOf = (whole: number): number => (THOROUGH ? whole : Math.ceil(whole / 4));
