/** The fields of one rule of a draft; each shows what the API finds wrong with it. */
import type { ReactNode } from 'react';
import type { CatalogueName } from '../../../../src/kit/client/api-types.ts';
import { useCorridorNames } from '../../api/corridors.ts';
import { Checks } from '../../parts/checks.tsx';
import { Choice, Field, Segments } from '../../parts/field.tsx';
import { ExpressionField, Problems } from './expression-field.tsx';
import { NumberField } from './number-field.tsx';
import {
  type Band,
  changeRule,
  codeOf,
  EFFECTS,
  effectOf,
  FORCED,
  type Problem,
  problemsAt,
  type RuleSource,
  toPoints,
  toWeight,
  withEffect,
} from './source.ts';

type RuleFormProps = {
  readonly rule: RuleSource;
  readonly names: readonly CatalogueName[];
  /** Problems of this rule; a pointer begins with the name of a field. */
  readonly problems: readonly Problem[];
  readonly isReadOnly: boolean;
  readonly onChange: (rule: RuleSource) => void;
  readonly onRemove: () => void;
};
type Change = Parameters<typeof changeRule>[1];

export function RuleForm(props: RuleFormProps) {
  const { rule, names, problems, isReadOnly, onChange, onRemove } = props;
  const corridors = useCorridorNames();
  const change = (changed: Change) => onChange(changeRule(rule, changed));
  const problemsOf = (field: string) => problemsAt(problems, `/${field}`);
  const known = ['when', 'sentence', 'id', 'code', 'detail', 'weight', 'measure', 'bands'];
  const others = problems.filter(({ pointer }) => !known.includes(pointer.split('/')[1] ?? ''));
  // A code that was made of the name follows the name.
  const rename = (id: string) =>
    change({ id, ...(rule.code === codeOf(rule.id) ? { code: codeOf(id) } : {}) });
  return (
    <fieldset className="rule-form" disabled={isReadOnly}>
      <Problems problems={others} />
      <div className="beside">
        <ExpressionField
          label="Fires where"
          value={rule.when ?? ''}
          names={names}
          problems={problemsOf('when')}
          onChange={(when) =>
            change({ when: when === '' && rule.measure !== undefined ? undefined : when })
          }
          isFirst
        />
        <Wrong problems={problemsOf('sentence')}>
          <Area
            label="The sentence that analysts read"
            value={rule.sentence}
            onChange={(sentence) => change({ sentence })}
          />
        </Wrong>
      </div>
      <Segments
        label="What it does"
        choices={EFFECTS}
        chosen={effectOf(rule)}
        onChoose={(effect) => onChange(withEffect(rule, effect))}
      />
      <Effect rule={rule} names={names} problemsOf={problemsOf} change={change} />
      <div className="filters">
        <Wrong problems={problemsOf('id')}>
          <Field label="Name" value={rule.id} onChange={rename} />
        </Wrong>
        <Wrong problems={problemsOf('code')}>
          <Field label="Reason code" value={rule.code} onChange={(code) => change({ code })} />
        </Wrong>
        <Choice
          label="State"
          value={rule.state ?? 'on'}
          onChange={(state) => change({ state: state === 'off' ? 'off' : undefined })}
        >
          <option>on</option>
          <option>off</option>
        </Choice>
        <Choice
          label="Where a model decides"
          value={rule.policy === true ? 'yes' : 'no'}
          onChange={(policy) => change({ policy: policy === 'yes' ? true : undefined })}
        >
          <option value="no">no points</option>
          <option value="yes">points: a policy</option>
        </Choice>
      </div>
      <Wrong problems={problemsOf('detail')}>
        <Area
          label="Detail of its reason, with {expression:decimals}; empty: the sentence"
          value={rule.detail ?? ''}
          onChange={(detail) => change({ detail: detail === '' ? undefined : detail })}
        />
      </Wrong>
      {corridors.length === 0 ? null : (
        <Checks
          label="Corridors; none chosen: all"
          choices={corridors}
          chosen={rule.corridors ?? []}
          onChoose={(chosen) => change({ corridors: chosen.length === 0 ? undefined : chosen })}
          isDense
        />
      )}
      {isReadOnly ? null : (
        <div className="row end">
          <button type="button" className="danger" onClick={onRemove}>
            Remove the rule
          </button>
        </div>
      )}
    </fieldset>
  );
}

function Wrong({
  problems,
  children,
}: {
  readonly problems: readonly Problem[];
  readonly children: ReactNode;
}) {
  return (
    <div className={problems.length > 0 ? 'wrong' : ''}>
      {children}
      <Problems problems={problems} />
    </div>
  );
}

function Area({
  label,
  value,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}) {
  return (
    <label className="field">
      <span className="muted small">{label}</span>
      <textarea rows={2} value={value} onChange={({ target }) => onChange(target.value)} />
    </label>
  );
}

type EffectProps = Pick<RuleFormProps, 'rule' | 'names'> & {
  readonly problemsOf: (field: string) => readonly Problem[];
  readonly change: (change: Change) => void;
};

function Effect({ rule, names, problemsOf, change }: EffectProps) {
  const { verdict, measure, weight = 0, bands = [] } = rule;
  if (verdict !== undefined) {
    return (
      <Choice
        label="Verdict, whatever the score"
        value={verdict}
        onChange={(text) => change({ verdict: FORCED.find((one) => one === text) })}
      >
        {FORCED.map((one) => (
          <option key={one}>{one}</option>
        ))}
      </Choice>
    );
  }
  if (measure === undefined) {
    return (
      <Wrong problems={problemsOf('weight')}>
        <NumberField
          label="Points alone, to 1,000"
          value={toPoints(weight)}
          onChange={(points) => change({ weight: toWeight(points) })}
        />
      </Wrong>
    );
  }
  return (
    <>
      {typeof measure === 'string' ? (
        <ExpressionField
          label="Measures"
          value={measure}
          names={names}
          problems={problemsOf('measure')}
          onChange={(text) => change({ measure: text })}
        />
      ) : (
        <Wrong problems={problemsOf('measure')}>
          <div className="filters">
            <p>
              <span className="muted small">Measured by code</span>
              <br />
              <code>{measure.code}</code>
            </p>
            {Object.entries(measure.bounds).map(([bound, value]) => (
              <NumberField
                key={bound}
                label={bound}
                value={value}
                onChange={(given) =>
                  change({ measure: { ...measure, bounds: { ...measure.bounds, [bound]: given } } })
                }
              />
            ))}
          </div>
        </Wrong>
      )}
      <Wrong problems={problemsOf('bands')}>
        <Bands bands={bands} onChange={(changed) => change({ bands: changed })} />
      </Wrong>
    </>
  );
}

type BandsProps = {
  readonly bands: readonly Band[];
  readonly onChange: (bands: readonly Band[]) => void;
};

/** Points rise in a straight line from each band to the next. */
function Bands({ bands, onChange }: BandsProps) {
  const last = bands.at(-1) ?? { from: 0, weight: 0 };
  return (
    <fieldset className="bands">
      <legend className="muted small">
        Bands: from this value on it adds these points, rising evenly to the next band
      </legend>
      {bands.map((band, at) => {
        const put = (changed: Partial<Band>) => onChange(bands.with(at, { ...band, ...changed }));
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a band has no name, and its place is what people edit
          <div className="row" key={at}>
            <NumberField
              label={`From, band ${at + 1}`}
              value={band.from}
              onChange={(from) => put({ from })}
            />
            <NumberField
              label={`Points, band ${at + 1}`}
              value={toPoints(band.weight)}
              onChange={(points) => put({ weight: toWeight(points) })}
            />
            <button
              type="button"
              aria-label={`Remove band ${at + 1}`}
              disabled={bands.length === 1}
              onClick={() => onChange(bands.toSpliced(at, 1))}
            >
              Remove
            </button>
          </div>
        );
      })}
      <button
        type="button"
        onClick={() => onChange([...bands, { from: last.from + 1, weight: last.weight }])}
      >
        Add a band
      </button>
    </fieldset>
  );
}
