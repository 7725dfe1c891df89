/**
 * A table that renders only the rows in sight. `j` and `k` focus the link of the next or previous row, a click anywhere in a row
 * follows its link, and the last rows load the next page.
 */
import {
  type Cell,
  type Header,
  type RowData,
  tableFeatures,
  useTable,
} from '@tanstack/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type MouseEvent, type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { Link } from 'wouter';
import { useShortcuts } from '../shell/shortcuts.ts';

export type Column<Row> = {
  readonly id: string;
  readonly header: string;
  readonly cell: (row: Row) => ReactNode;
  readonly numeric?: boolean;
  /** The value that a click on the header sorts by, the greatest first; absent: the column does not sort. */
  readonly sortBy?: (row: Row) => number | string;
  /** Shown from this width on: 2 is a tablet, 3 a wide screen; absent: always. */
  readonly from?: 2 | 3;
  /** The column takes the width that other columns leave, and clips its text. */
  readonly isRest?: boolean;
};

/** The rest of a list that is read page by page. */
export type More = {
  readonly hasNextPage: boolean;
  readonly isFetchingNextPage: boolean;
  readonly fetchNextPage: () => unknown;
};

type DataTableProps<Row> = {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly more?: More;
};

const features = tableFeatures({});
type Features = typeof features;
const ROW_PX = 37;
/** So many rows stand in the page without a scroll bar of their own. */
const WHOLE_ROWS = 40;
/** The link that opens a row: a `RowLink`, or else the first link of the row. */
const LINK = ':is(a, .link)';
const linkIn = (row: Element | null | undefined) =>
  row?.querySelector<HTMLElement>('[data-row]') ?? row?.querySelector<HTMLElement>(LINK);
/** The next page is read when so many rows are left. */
const AHEAD_ROWS = 20;

export function DataTable<Row extends RowData>(props: DataTableProps<Row>) {
  const { label, columns, keyOf, more } = props;
  const [sort, setSort] = useState<Sort>();
  const rows = useMemo(() => sorted(props.rows, columns, sort), [props.rows, columns, sort]);
  const scroller = useRef<HTMLDivElement>(null);
  // The table knows the columns by their ids; what stands in them is drawn here.
  const ids = useMemo(() => columns.map(({ id }) => ({ id })), [columns]);
  const table = useTable<Features, Row>({ features, columns: ids, data: rows, getRowId: keyOf });
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
  });
  const items = virtualizer.getVirtualItems();
  const lastIndex = items.at(-1)?.index ?? -1;
  useNextPage(more, lastIndex, rows.length);
  useRowKeys(scroller, rows.length, (index) => virtualizer.scrollToIndex(index));
  const above = items[0]?.start ?? 0;
  const below = virtualizer.getTotalSize() - (items.at(-1)?.end ?? 0);
  const model = table.getRowModel().rows;
  return (
    <section
      className={rows.length <= WHOLE_ROWS && !more?.hasNextPage ? 'table whole' : 'table'}
      ref={scroller}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls, on phones sideways, must be reached by the keyboard (axe: scrollable-region-focusable)
      tabIndex={0}
      aria-label={label}
    >
      <table aria-rowcount={more?.hasNextPage ? -1 : rows.length + 1}>
        <thead>
          <tr>
            {table.getFlatHeaders().map((header) => (
              <HeaderCell
                key={header.id}
                header={header}
                column={columnOf(columns, header)}
                sort={sort}
                onSort={setSort}
              />
            ))}
          </tr>
        </thead>
        <tbody>
          <Spacer px={above} columns={columns.length} />
          {items.map(({ index }) => (
            <tr
              key={model[index]?.id ?? index}
              data-index={index}
              aria-rowindex={index + 2}
              onClick={openRow}
              onAuxClick={openRow}
            >
              {model[index]?.getAllCells().map((cell) => (
                <DataCell key={cell.id} cell={cell} column={columnOf(columns, cell)} />
              ))}
            </tr>
          ))}
          <Spacer px={below} columns={columns.length} />
        </tbody>
      </table>
      {more?.isFetchingNextPage ? <output className="state small">Loading more …</output> : null}
    </section>
  );
}

/** Elements that handle a click themselves, so that a click there does not open the row. */
const OWN = 'a, button, input, select, textarea, label, summary';

/** Opens the row of a click outside of links and controls. The middle button and Ctrl open a new tab, as on a link. */
function openRow(event: MouseEvent<HTMLTableRowElement>): void {
  const { target, currentTarget, button, ctrlKey, metaKey } = event;
  const isElsewhere = target instanceof Element && target.closest(OWN) === null;
  const isSelecting = getSelection()?.isCollapsed === false;
  const link = linkIn(currentTarget);
  if (!isElsewhere || isSelecting || !link || button > 1) return;
  const isApart = button === 1 || ctrlKey || metaKey;
  if (isApart && link instanceof HTMLAnchorElement) window.open(link.href, '_blank', 'noopener');
  else if (!isApart) link.click();
}

/** The link that opens a row which also has other links. */
export function RowLink({
  href,
  label,
  children,
}: {
  readonly href: string;
  /** Name for screen readers, which begins with the visible text. */
  readonly label: string;
  readonly children: ReactNode;
}) {
  return (
    <Link href={href} aria-label={label} data-row="">
      {children}
    </Link>
  );
}

function columnOf<Row extends RowData>(
  columns: readonly Column<Row>[],
  { column: { id } }: Pick<Cell<Features, Row> | Header<Features, Row>, 'column'>,
): Column<Row> | undefined {
  return columns.find((column) => column.id === id);
}

function classOf<Row>({ numeric, from, isRest }: Partial<Column<Row>> = {}): string {
  const at = from === undefined ? '' : `from-${from}`;
  return [numeric ? 'number' : '', at, isRest ? 'rest' : ''].filter(Boolean).join(' ');
}

type Sort = { readonly id: string; readonly isUp: boolean };

function sorted<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  sort: Sort | undefined,
): readonly Row[] {
  const by = columns.find(({ id }) => id === sort?.id)?.sortBy;
  if (by === undefined || sort === undefined) return rows;
  const order = (one: Row, other: Row) => {
    const [a, b] = [by(one), by(other)];
    return a === b ? 0 : a < b ? -1 : 1;
  };
  return rows.toSorted((one, other) => (sort.isUp ? order(one, other) : order(other, one)));
}

function HeaderCell<Row extends RowData>({
  column,
  sort,
  onSort,
}: {
  readonly header: Header<Features, Row>;
  readonly column: Column<Row> | undefined;
  readonly sort: Sort | undefined;
  readonly onSort: (sort: Sort) => void;
}) {
  if (column?.sortBy === undefined) {
    return (
      <th scope="col" className={classOf(column)}>
        {column?.header}
      </th>
    );
  }
  const { id, header, numeric = false } = column;
  const isUp = sort?.id === id ? sort.isUp : undefined;
  const direction = isUp === undefined ? 'none' : isUp ? 'ascending' : 'descending';
  return (
    <th scope="col" className={classOf(column)} aria-sort={direction}>
      <button
        type="button"
        className="link"
        onClick={() => onSort({ id, isUp: isUp === undefined ? !numeric : !isUp })}
      >
        {header}
        {isUp === undefined ? '' : isUp ? ' ↑' : ' ↓'}
      </button>
    </th>
  );
}

function DataCell<Row extends RowData>({
  cell,
  column,
}: {
  readonly cell: Cell<Features, Row>;
  readonly column: Column<Row> | undefined;
}) {
  return <td className={classOf(column)}>{column?.cell(cell.row.original)}</td>;
}

function Spacer({ px, columns }: { readonly px: number; readonly columns: number }) {
  if (px <= 0) return null;
  return (
    <tr className="spacer">
      <td colSpan={columns} style={{ height: px }} />
    </tr>
  );
}

function useNextPage(more: More | undefined, lastIndex: number, rows: number): void {
  useEffect(() => {
    const isNear = lastIndex >= rows - AHEAD_ROWS;
    if (more?.hasNextPage && !more.isFetchingNextPage && isNear) more.fetchNextPage();
  }, [more, lastIndex, rows]);
}

/** `j` and `k` focus the link of the next or previous row, of the table that has the focus, or else of the first one with links. */
function useRowKeys(
  scroller: React.RefObject<HTMLDivElement | null>,
  rows: number,
  show: (index: number) => void,
): void {
  const at = useRef(-1);
  const move = (by: 1 | -1) => {
    const table =
      document.activeElement?.closest('.table') ??
      document.querySelector(`.table:has(tbody ${LINK})`);
    if (table !== scroller.current) return;
    const focused = document.activeElement?.closest('tr[data-index]')?.getAttribute('data-index');
    if (focused !== null && focused !== undefined) at.current = Number(focused);
    const next = Math.max(0, Math.min(rows - 1, at.current + by));
    at.current = next;
    show(next);
    const linkOf = () => linkIn(scroller.current?.querySelector(`tr[data-index="${next}"]`));
    const link = linkOf();
    // The next key may come before the next frame, and is for this row. A row out of sight exists after it.
    if (link) link.focus();
    else requestAnimationFrame(() => linkOf()?.focus());
  };
  useShortcuts({ j: () => move(1), k: () => move(-1) });
}
