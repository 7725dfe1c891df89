export type Mutant = { readonly name: string; readonly what: string; readonly scenario: string };
export const MUTANTS: readonly Mutant[] = [];
