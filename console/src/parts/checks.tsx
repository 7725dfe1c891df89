/** Several of a few choices. */
type ChecksProps<Value extends string> = {
  readonly label: string;
  readonly choices: readonly Value[];
  readonly chosen: readonly Value[];
  /** @param chosen in the order of the choices */
  readonly onChoose: (chosen: readonly Value[]) => void;
  /** As people read it; absent: as it is. */
  readonly nameOf?: (value: Value) => string;
  /** The meaning of a choice, beside its name. */
  readonly notes?: Readonly<Partial<Record<Value, string>>>;
  /** Short names stand side by side. */
  readonly isDense?: boolean;
};

export function Checks<Value extends string>(props: ChecksProps<Value>) {
  const { label, choices, chosen, onChoose, nameOf = (value) => value, notes, isDense } = props;
  const toggle = (value: Value) =>
    onChoose(choices.filter((one) => chosen.includes(one) !== (one === value)));
  return (
    <fieldset className={isDense ? 'checks dense' : 'checks'}>
      <legend>{label}</legend>
      {choices.map((value) => (
        <label key={value}>
          <input type="checkbox" checked={chosen.includes(value)} onChange={() => toggle(value)} />
          <span>
            {nameOf(value)}
            {notes?.[value] === undefined ? null : (
              <>
                {' '}
                <span className="muted small">{notes[value]}</span>
              </>
            )}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
