/** Examples of a rule name what a row may have, with values of the right type. */
import { given, shortText } from '../../../kit/words/describe-issue.ts';
import { FIELD_CHARS_MAX, type FieldError, jsonPointer } from '../../../kit/words/field-error.ts';
import { nearestName } from '../../../kit/words/nearest-name.ts';
import { type Catalogue, typeOfKey } from './expression/catalogue.ts';
import type { ValueType } from './expression/expression.ts';
import type { RuleData } from './rule-set-data.ts';

const NUMBER = { type: 'number', word: 'a number' };
const VALUES: Readonly<Record<ValueType, { readonly type: string; readonly word: string }>> = {
  number: NUMBER,
  amount: NUMBER,
  text: { type: 'string', word: 'a text' },
  boolean: { type: 'boolean', word: 'true or false' },
};

/**
 * @param pointer of the rule
 * @param problemsMax each looks for the nearest name
 */
export function exampleProblems(
  { examples = [] }: RuleData,
  pointer: string,
  catalogue: Catalogue,
  problemsMax: number,
): FieldError[] {
  const wrong = examples.flatMap((example, nth) =>
    Object.entries(example.given).flatMap(([name, value]) => {
      const type = typeOfKey(catalogue, name);
      const wanted = type === undefined ? undefined : VALUES[type];
      return wanted?.type === typeof value ? [] : [{ nth, name, value, wanted }];
    }),
  );
  return wrong.slice(0, problemsMax).map(({ nth, name, value, wanted }) => {
    const path = ['examples', nth, 'given', shortText(name, FIELD_CHARS_MAX)];
    const detail =
      wanted === undefined
        ? `is no name of the catalogue${nearest(name, catalogue)}`
        : `must be ${wanted.word}, not ${given(value)}`;
    return { pointer: `${pointer}${jsonPointer(path)}`, detail };
  });
}

function nearest(name: string, { names }: Catalogue): string {
  const found = nearestName(name, [...names.keys()]);
  return found === undefined ? '' : `; ${found} is`;
}
