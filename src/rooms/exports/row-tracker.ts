/** Finds where rows end in a transfer of CSV or NDJSON, so that one that breaks off within a row goes on behind the last whole one. */

const LINE_END = 0x0a;
const QUOTE = 0x22;
/** Every row begins with its transaction's id: as a cell, or as the first member of an object. */
const ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
const BEGINNING_BYTES = 64;

export type RowTracker = {
  /** Takes the next bytes; returns how many of all bytes so far are whole rows. */
  readonly add: (bytes: Uint8Array) => number;
  readonly rows: () => number;
  /** Id of the last whole row. */
  readonly last: () => string | undefined;
  /** Rows that the last line says were sent, which is no row; undefined without such a line. */
  readonly said: () => number | undefined;
};

/** @param isCsv a line end within quotes ends no row; the first line without an id is a header */
export function createRowTracker(isCsv: boolean): RowTracker {
  let seen = 0;
  let whole = 0;
  let rows = 0;
  let last: string | undefined;
  let said: number | undefined;
  let isQuoted = false;
  let beginning = '';
  const endRow = (end: number) => {
    const id = ID.exec(beginning)?.[0];
    if (id !== undefined) {
      last = id;
      rows += 1;
    } else if (!isCsv) {
      said = Number(/"rows":(\d+)/.exec(beginning)?.[1]);
      return;
    }
    whole = end;
  };
  const lineEnd = (bytes: Uint8Array, from: number): number => {
    if (!isCsv) return bytes.indexOf(LINE_END, from);
    for (let at = from; at < bytes.length; at++) {
      if (bytes[at] === QUOTE) isQuoted = !isQuoted;
      else if (bytes[at] === LINE_END && !isQuoted) return at;
    }
    return -1;
  };
  return {
    add: (bytes) => {
      for (let at = 0; at < bytes.length; ) {
        const end = lineEnd(bytes, at);
        const stop = end === -1 ? bytes.length : end;
        const missing = BEGINNING_BYTES - beginning.length;
        if (missing > 0) {
          beginning += Buffer.from(bytes.subarray(at, Math.min(stop, at + missing))).toString(
            'latin1',
          );
        }
        if (end === -1) break;
        endRow(seen + end + 1);
        beginning = '';
        at = end + 1;
      }
      seen += bytes.length;
      return whole;
    },
    rows: () => rows,
    last: () => last,
    said: () => said,
  };
}
