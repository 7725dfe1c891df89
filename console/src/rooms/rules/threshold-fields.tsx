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
  const { all, corridors = {} } = verdicts;
  const others = useCorridorNames().filter((name) => corridors[name] === undefined);
  const put = (changed: Readonly<Record<string, Thresholds>>) =>
    onChange(Object.keys(changed).length === 0 ? { all } : { all, corridors: changed });
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
