/** The findings of a check. */

/** Kinds of changes by the owner of the database or by a restored backup, and the gaps that the log admits. */
export type Attack =
  | 'edited'
  | 'deleted'
  | 'inserted'
  | 'reordered'
  | 'tail cut'
  | 'hashed anew'
  | 'two histories'
  | 'key swapped'
  | 'old checkpoint'
  | 'gap';
export type Finding = { readonly attack: Attack; readonly what: string };

export type Note = (attack: Attack, what: string) => void;
