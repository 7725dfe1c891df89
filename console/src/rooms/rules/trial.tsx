/** Tries a rule set on one scored transaction. The API stores nothing. */
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { RuleSetTrial, TriedRuleSet } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { number, words } from '../../format.ts';
import { Bars } from '../../parts/bars.tsx';
import { Field } from '../../parts/field.tsx';
import { Part } from '../../parts/page.tsx';
import { Verdict } from '../../parts/show.tsx';
import { Trouble } from '../../parts/states.tsx';

type TrialProps = {
  /** The rule set by its name, or as it is edited. */
  readonly given: Pick<RuleSetTrial, 'rule_set' | 'source'>;
};

export function Trial({ given }: TrialProps) {
  const [id, setId] = useState('');
  const tried = useMutation({
    mutationFn: () =>
      ask('POST /v1/rule-sets/test', { body: { ...given, transaction_id: id.trim() } }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    tried.mutate();
  };
  return (
    <Part title="Test on one transaction">
      <form className="filters" onSubmit={submit}>
        <Field label="Transaction" value={id} onChange={setId} isRequired />
        <button type="submit" disabled={id.trim() === '' || tried.isPending}>
          {tried.isPending ? 'Testing …' : 'What would it decide?'}
        </button>
      </form>
      {tried.error === null ? null : <Trouble error={tried.error} />}
      <div role="status">{tried.data === undefined ? null : <Tried tried={tried.data} />}</div>
    </Part>
  );
}

function Tried({ tried }: { readonly tried: TriedRuleSet }) {
  const { score, verdict, stored, reasons, rules } = tried;
  const silent = rules.filter(({ fired }) => !fired).length;
  return (
    <div className="what-if">
      <p className={`verdict ${verdict} compared`}>
        <span className="score">
          <strong>{score}</strong>
        </span>
        <Verdict verdict={verdict} />
        <span className="muted">
          {stored === null ? '' : `It scored ${stored.score}, ${stored.verdict}. `}
          {`${silent} of ${rules.length} rules are silent.`}
        </span>
      </p>
      {reasons.length === 0 ? null : (
        <Bars
          rows={reasons.map(({ code, detail, contribution }) => ({
            key: code,
            name: detail,
            note: words(code),
            value: contribution,
            text: number(contribution),
          }))}
        />
      )}
    </div>
  );
}
