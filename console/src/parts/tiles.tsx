/** Figures side by side: a name, a value, and a note beside it. */
type TilesProps = {
  readonly label: string;
  readonly tiles: readonly (readonly [name: string, value: string, note: string])[];
};

export function Tiles({ label, tiles }: TilesProps) {
  return (
    <dl className="tiles" aria-label={label}>
      {tiles.map(([name, value, note]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <strong>{value}</strong>
            <span className="muted small">{note}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}
