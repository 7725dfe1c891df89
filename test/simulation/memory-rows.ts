/** Open rows, as the statements of src/core/store/open-rows keep them. */
import type { OpenRow } from '../../src/core/domain/transaction.ts';
import type { LeftQueue } from '../../src/core/store/open-rows/lost-rows.ts';
import type { Final } from '../../src/core/store/open-rows/open-rows.ts';

/** Few enough that most passes take several pages. */
const PAGE_ROWS = 2;

type Row = OpenRow & { readonly openedAtMs: number; readonly isLeft: boolean };

type Options = {
  readonly nowMs: () => number;
  readonly guards: { readonly takingOut: boolean };
  readonly onLeftOpen: (transactionId: string) => void;
};

export function createOpenRows({ nowMs, guards, onLeftOpen }: Options) {
  const rows = new Map<string, Row>();
  /** The row in which a transaction is open. */
  const rowOf = (id: string) =>
    [...rows.values()].find((row) => row.transactionIds.includes(id))?.rowId ?? null;
  return {
    size: () => rows.size,
    rowOf,
    open(opened: readonly OpenRow[]) {
      for (const { rowId, corridor, shard, transactionIds } of opened) {
        const row = { rowId, corridor, shard, transactionIds };
        rows.set(rowId, { ...row, openedAtMs: nowMs(), isLeft: false });
      }
    },
    takeOut(final: readonly Final[]) {
      for (const { rowId, id } of guards.takingOut ? final : []) {
        const row = rows.get(rowId ?? '');
        if (row === undefined) continue;
        const transactionIds = row.transactionIds.filter((one) => one !== id);
        if (transactionIds.length === 0) rows.delete(row.rowId);
        else rows.set(row.rowId, { ...row, transactionIds });
      }
      for (const { id } of final) if (rowOf(id) !== null) onLeftOpen(id);
    },
    setLeft(rowIds: readonly string[], isLeft: boolean) {
      for (const rowId of rowIds) {
        const row = rows.get(rowId);
        if (row !== undefined) rows.set(rowId, { ...row, isLeft });
      }
    },
    listAged(after: string, ageMs: number) {
      const sorted = [...rows.values()].sort((a, b) => (a.rowId < b.rowId ? -1 : 1));
      const page = sorted.filter(({ rowId }) => rowId > after).slice(0, PAGE_ROWS);
      return {
        rows: page.filter((row) => !row.isLeft && row.openedAtMs < nowMs() - ageMs),
        next: page.length < PAGE_ROWS ? null : (page.at(-1)?.rowId ?? null),
      };
    },
    readRows: (rowIds: readonly string[]) => rowIds.flatMap((rowId) => rows.get(rowId) ?? []),
    listLeft: (queues: readonly LeftQueue[]) =>
      [...rows.values()].filter(
        (row) =>
          row.isLeft &&
          queues.some(({ corridor, shard }) => corridor === row.corridor && shard === row.shard),
      ),
  };
}
