/** Figures side by side: a name, a value, and a note beside it. */
type TilesProps = {
  readonly label: string;
  /** A level turns the tile to its colour; the note says why. */
  readonly tiles: readonly (readonly [
    name: string,
    value: string,
    note: string,
    level?: 'warning' | 'critical' | undefined,
  ])[];
};

export function Tiles({ label, tiles }: TilesProps) {
  return (
    <dl className="tiles" aria-label={label}>
      {tiles.map(([name, value, note, level]) => (
        <div key={name} className={level}>
          <dt>{name}</dt>
          <dd>
            <strong>{value}</strong>
            <span className="muted small" title={note}>
              {note}
            </span>
          </dd>
        </div>
      ))}
    </dl>
  );
}
