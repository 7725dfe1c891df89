/** The typed tree of an expression: what is left of the text once every name is known and every type fits. */

/**
 * `number` is one type, written `3` or `3.0`: a double. An `amount` is money in the payment's own currency and compares with
 * amounts alone, so that nobody compares pounds with dollars.
 */
export type ValueType = 'number' | 'amount' | 'text' | 'boolean';

/** Where a name is read: an index of the vector, the deciding model's probability, or a column beside the vector. */
export type Source =
  | { readonly at: 'feature'; readonly index: number }
  | { readonly at: 'probability' }
  | { readonly at: 'input'; readonly key: string };

export type Read = {
  readonly kind: 'read';
  readonly type: ValueType;
  readonly name: string;
  readonly source: Source;
};

export type Literal =
  | { readonly kind: 'literal'; readonly type: 'number'; readonly value: number }
  | { readonly kind: 'literal'; readonly type: 'text'; readonly value: string }
  | { readonly kind: 'literal'; readonly type: 'boolean'; readonly value: boolean };

export const COMPARISONS = ['<', '<=', '>', '>=', '==', '!='] as const;
export type Comparison = (typeof COMPARISONS)[number];
export const ARITHMETIC = ['+', '-', '*', '/'] as const;
export type ArithmeticOperator = (typeof ARITHMETIC)[number];

export type Expression =
  | Read
  | Literal
  | {
      readonly kind: 'arithmetic';
      readonly type: 'number' | 'amount';
      readonly op: ArithmeticOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: 'negative';
      readonly type: 'number' | 'amount';
      readonly operand: Expression;
    }
  | {
      readonly kind: 'comparison';
      readonly type: 'boolean';
      readonly op: Comparison;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: 'member';
      readonly type: 'boolean';
      readonly read: Read;
      readonly values: readonly (string | number)[];
    }
  | {
      readonly kind: 'both' | 'either';
      readonly type: 'boolean';
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'not'; readonly type: 'boolean'; readonly operand: Expression }
  | { readonly kind: 'missing'; readonly type: 'boolean'; readonly read: Read };

/** Every name that an expression reads, in the order of the text. */
export function readsOf(expression: Expression): readonly Read[] {
  switch (expression.kind) {
    case 'read':
      return [expression];
    case 'literal':
      return [];
    case 'member':
    case 'missing':
      return [expression.read];
    case 'negative':
    case 'not':
      return readsOf(expression.operand);
    case 'arithmetic':
    case 'comparison':
    case 'both':
    case 'either':
      return [...readsOf(expression.left), ...readsOf(expression.right)];
  }
}
