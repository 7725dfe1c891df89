/** The meaning of each level of degradation, for the API and the console. */
export const LEVELS = {
  0: 'Everything is served.',
  1: 'Calls are slow, a rule failed, or rules decide in place of a model.',
  2: 'A store is slow or fails: replicas answer reads, and what is accepted is scored later.',
  3: 'New transactions and other changes are refused; reads are answered.',
  4: 'People have turned every flag off, or neither store works.',
} as const;
