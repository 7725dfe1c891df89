/** Horizontal bars from a common zero, with the sentence that each stands for. */
export type Bar = {
  readonly key: string;
  readonly name: string;
  readonly note: string;
  readonly value: number;
  /** The value as people read it. */
  readonly text: string;
};

export function Bars({ rows }: { readonly rows: readonly Bar[] }) {
  const largest = Math.max(...rows.map(({ value }) => Math.abs(value)), Number.MIN_VALUE);
  const isSigned = rows.some(({ value }) => value < 0);
  return (
    <ul className={isSigned ? 'bars signed' : 'bars'}>
      {rows.map(({ key, name, note, value, text }) => (
        <li key={key}>
          <span className="bar-name">
            {name}
            <span className="muted small">{note}</span>
          </span>
          <span className="bar-track" aria-hidden="true">
            <span
              className={value < 0 ? 'bar less' : 'bar'}
              style={{ width: `${(Math.abs(value) / largest) * (isSigned ? 50 : 100)}%` }}
            />
          </span>
          <span className="number">{text}</span>
        </li>
      ))}
    </ul>
  );
}
