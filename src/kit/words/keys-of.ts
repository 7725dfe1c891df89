/** Names of a table that is written out whole. TypeScript types names as texts, as a value may have more members than its type. */
export const keysOf = <Name extends string>(
  table: Readonly<Partial<Record<Name, unknown>>>,
): Name[] => Object.keys(table) as Name[];
