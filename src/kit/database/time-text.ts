/** SQL of a time as the API writes it: UTC, whole milliseconds. Such texts compare as their times do. */
export const timeText = (time: string): string =>
  `to_char(${time} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** Columns of the table `alias` under their names, times as text. */
export const timeColumns = (alias: string, ...names: readonly string[]): string =>
  names.map((name) => `${timeText(`${alias}.${name}`)} as ${name}`).join(', ');
