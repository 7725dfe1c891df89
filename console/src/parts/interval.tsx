/** A share between 0 and 1 as a dot within its interval; what it says stands beside it as text. */
const WIDTH_MIN = 0.01;
/** The dot stays within the track: its left side moves by the width of the track less its own. */
const TRACK = '(100% - 0.65rem)';

export function Interval({
  value,
  low,
  high,
}: {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}) {
  const width = Math.max(WIDTH_MIN, high - low);
  return (
    <span className="interval" aria-hidden="true">
      <i
        style={{
          left: `calc(${low} * ${TRACK} + 0.325rem)`,
          width: `calc(${width} * ${TRACK})`,
        }}
      />
      <b style={{ left: `calc(${value} * ${TRACK})` }} />
    </span>
  );
}
