/** Changes between two versions of an event that a reader of the former would not understand. */
export type Schema = {
  readonly type?: string;
  /** Tells elements of an array apart. */
  readonly title?: string;
  readonly const?: unknown;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, Schema | undefined>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
};

/** Sentences about each break; fields, elements at the end and narrower values may be added. */
export function breaksOf(before: Schema, after: Schema, at = ''): string[] {
  if (before.type !== undefined && after.type !== before.type) {
    return [`${at} is an ${after.type}, and was a ${before.type}`];
  }
  return [
    ...identityBreaks(before, after, at),
    ...valueBreaks(before, after, at),
    ...fieldBreaks(before, after, at),
  ];
}

/** The version alone is a constant that changes. */
function identityBreaks(before: Schema, after: Schema, at: string): string[] {
  const isOther = before.const !== undefined && before.const !== after.const && at !== '/version';
  const isMoved = at !== '' && before.title !== undefined && before.title !== after.title;
  return [
    ...(isOther ? [`${at} is ${after.const ?? 'anything'}, and was ${before.const}`] : []),
    ...(isMoved ? [`${at} is ${after.title ?? 'nameless'}, and was ${before.title}`] : []),
  ];
}

function valueBreaks(before: Schema, after: Schema, at: string): string[] {
  const known = before.enum;
  const values = known === undefined ? [] : (after.enum ?? ['anything']);
  const [least, most] = [after.minimum ?? -Infinity, after.maximum ?? Infinity];
  return [
    ...values.filter((one) => !known?.includes(one)).map((one) => `${at} may be ${one}`),
    ...(least < (before.minimum ?? -Infinity)
      ? [`${at} has the minimum ${least}, and had ${before.minimum}`]
      : []),
    ...(most > (before.maximum ?? Infinity)
      ? [`${at} has the maximum ${most}, and had ${before.maximum}`]
      : []),
    ...((after.minItems ?? 0) < (before.minItems ?? 0) ? [`${at} may have fewer elements`] : []),
    ...(before.pattern === after.pattern ? [] : [`${at} has another pattern`]),
  ];
}

function fieldBreaks(before: Schema, after: Schema, at: string): string[] {
  const lacking = (before.required ?? []).filter((name) => !after.required?.includes(name));
  const fields = Object.entries(before.properties ?? {}).flatMap(([name, own]) => {
    const next = after.properties?.[name];
    if (own === undefined) return [];
    return next === undefined ? [`${at}/${name} is gone`] : breaksOf(own, next, `${at}/${name}`);
  });
  const elements = (before.prefixItems ?? []).flatMap((own, index) =>
    breaksOf(own, after.prefixItems?.[index] ?? {}, `${at}/${index}`),
  );
  const items =
    before.items === undefined ? [] : breaksOf(before.items, after.items ?? {}, `${at}/`);
  return [
    ...lacking.map((name) => `${at}/${name} may be missing`),
    ...fields,
    ...items,
    ...elements,
  ];
}
