/** The least scores of review and decline: of all corridors, and of corridors that differ. */
import { useCorridorNames } from '../../api/corridors.ts';
import { Choice } from '../../parts/field.tsx';
import { NumberField } from './number-field.tsx';
import type { Source, Thresholds } from './source.ts';

type ThresholdFieldsProps = {
  readonly verdicts: Source['verdicts'];
  readonly isReadOnly: boolean;
  readonly onChange: (verdicts: Source['verdicts']) => void;
};

export function ThresholdFields({ verdicts, isReadOnly, onChange }: ThresholdFieldsProps) {
  const { all, corridors = {}, shares } = verdicts;
  const own = shares === undefined ? {} : { shares };
  const others = useCorridorNames().filter((name) => corridors[name] === undefined);
  const put = (changed: Readonly<Record<string, Thresholds>>) =>
    onChange({ all, ...(Object.keys(changed).length === 0 ? {} : { corridors: changed }), ...own });
  const rows = [['all corridors', all] as const, ...Object.entries(corridors)];
  return (
    <fieldset className="bands" disabled={isReadOnly}>
      <legend className="muted small">Least score of each verdict, 1 to 1,000</legend>
      {rows.map(([name, { review, decline }], at) => {
        const set = (changed: Partial<Thresholds>) => {
          const next = { review, decline, ...changed };
          if (at === 0) onChange({ ...verdicts, all: next });
          else put({ ...corridors, [name]: next });
        };
        return (
          <div className="row" key={name}>
            <NumberField
              label={`Review, ${name}`}
              value={review}
              onChange={(points) => set({ review: points })}
            />
            <NumberField
              label={`Decline, ${name}`}
              value={decline}
              onChange={(points) => set({ decline: points })}
            />
            {at === 0 || isReadOnly ? null : (
              <button
                type="button"
                aria-label={`${name} as all corridors`}
                onClick={() => {
                  const { [name]: _, ...rest } = corridors;
                  put(rest);
                }}
              >
                As all
              </button>
            )}
          </div>
        );
      })}
      <Shares verdicts={verdicts} isReadOnly={isReadOnly} onChange={onChange} />
      {isReadOnly || others.length === 0 ? null : (
        <Choice
          label="A corridor that differs"
          value=""
          onChange={(name) => name !== '' && put({ ...corridors, [name]: all })}
        >
          <option value="">choose one</option>
          {others.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </Choice>
      )}
    </fieldset>
  );
}

const FIRST_SHARES: Thresholds = { review: 0.01, decline: 0.001 };
const toPercent = (share: number) => Number((100 * share).toFixed(5));
const toShare = (percent: number) => Number((percent / 100).toFixed(7));

/** Shares by which each night sets the bands, in place of all least scores. */
function Shares({ verdicts, isReadOnly, onChange }: ThresholdFieldsProps) {
  const { shares, ...fixed } = verdicts;
  if (shares === undefined) {
    return isReadOnly ? null : (
      <div className="row">
        <button type="button" onClick={() => onChange({ ...fixed, shares: FIRST_SHARES })}>
          Let nights set the bands
        </button>
      </div>
    );
  }
  const set = (changed: Partial<Thresholds>) =>
    onChange({ ...fixed, shares: { ...shares, ...changed } });
  return (
    <div className="row">
      <NumberField
        label="Stopped at most, %"
        value={toPercent(shares.review)}
        onChange={(percent) => set({ review: toShare(percent) })}
      />
      <NumberField
        label="Declined at most, %"
        value={toPercent(shares.decline)}
        onChange={(percent) => set({ decline: toShare(percent) })}
      />
      {isReadOnly ? null : (
        <button type="button" onClick={() => onChange(fixed)}>
          Fixed bands alone
        </button>
      )}
    </div>
  );
}
