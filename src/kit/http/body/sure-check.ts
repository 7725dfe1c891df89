/**
 * A fast path to a schema's acceptance. A check derived from a schema answers "surely valid" for values that
 * the schema would accept and return unchanged; for all others the schema itself decides and writes the
 * messages. For transactions it takes a quarter of the schema's time, as it makes no copy and no list of
 * issues.
 */
import type { z } from 'zod';

/** True: the schema accepts the value, and its output equals it. False: unknown. */
type SureCheck = (value: unknown) => boolean;

type Test = (value: unknown) => boolean;
type Field = { readonly name: string; readonly isOptional: boolean; readonly test: Test };

/** Throws for a schema that is not a strict object, or checks a text in a way that is not known here. */
export function sureCheck(schema: z.ZodObject): SureCheck {
  const { shape, catchall, checks = [] } = schema._zod.def;
  if (catchall?._zod.def.type !== 'never')
    throw new Error('only strict objects can be derived from');
  const fields = Object.entries(shape).map(([name, field]) => toField(name, field));
  const wholeTests = checks.map(toWholeTest);
  return (value) => {
    if (typeof value !== 'object' || value === null) return false;
    const known = countSure(fields, value as Members);
    // Other keys are not in the schema, or are present and undefined.
    if (Object.keys(value).length !== known) return false;
    for (const test of wholeTests) if (!test(value)) return false;
    return true;
  };
}

type Members = Readonly<Record<string, unknown>>;

/** Returns how many of the fields are present; undefined where one is missing or not surely valid. */
function countSure(fields: readonly Field[], members: Members): number | undefined {
  let known = 0;
  for (const { name, isOptional, test } of fields) {
    const member = members[name];
    if (member !== undefined && test(member)) known++;
    else if (member !== undefined || !isOptional) return undefined;
  }
  return known;
}

function toField(name: string, field: z.core.$ZodType): Field {
  const { def } = (field as z.core.$ZodTypes)._zod;
  if (def.type === 'optional') return { ...toField(name, def.innerType), isOptional: true };
  return { name, isOptional: false, test: toTest(field) };
}

function toTest(field: z.core.$ZodType): Test {
  const { def } = (field as z.core.$ZodTypes)._zod;
  if (def.type === 'enum') {
    const values = new Set<unknown>(Object.values(def.entries));
    return (value) => values.has(value);
  }
  if (def.type === 'string') {
    if (def.coerce === true) throw new Error('a text that is made from anything is not derived');
    const [first, second, ...more] = (def.checks ?? []).map(toTextTest);
    // Most texts have one or two checks; calling those by name takes half the time of a loop.
    if (first === undefined || more.length > 0) throw new Error('a text has one check or two');
    if (second === undefined) return (value) => typeof value === 'string' && first(value);
    return (value) => typeof value === 'string' && first(value) && second(value);
  }
  const parse = (field as z.ZodType).safeParse;
  return (value) => {
    const parsed = parse(value);
    return parsed.success && parsed.data === value;
  };
}

function toTextTest(check: z.core.$ZodCheck): (text: string) => boolean {
  const { def } = (check as z.core.$ZodStringFormat | z.core.$ZodCustom | z.core.$ZodCheckOverwrite)
    ._zod;
  // Other formats may check more than their pattern.
  if (def.check === 'string_format' && def.format === 'regex' && def.pattern !== undefined) {
    const { pattern } = def;
    return (text) => pattern.test(text);
  }
  if (def.check === 'custom' && def.fn !== undefined) {
    const { fn } = def;
    return (text) => fn(text) === true;
  }
  if (def.check === 'overwrite') {
    const { tx } = def;
    return (text) => tx(text) === text;
  }
  throw new Error(`a check of a text is unknown: ${def.check}`);
}

/** Runs a check of the whole object as the schema runs it. */
function toWholeTest(check: z.core.$ZodCheck): Test {
  return (value) => {
    const payload = { value, issues: [] };
    const done = (check as z.core.$ZodCheck<unknown>)._zod.check(payload);
    return done === undefined && payload.issues.length === 0;
  };
}
