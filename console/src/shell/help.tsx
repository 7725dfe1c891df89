/** The keys that work, opened by `?`. */
import { Dialog } from '../parts/dialog.tsx';
import type { Page } from './pages.ts';

const KEYS: readonly (readonly [string, string])[] = [
  ['j', 'Next row'],
  ['k', 'Previous row'],
  ['Enter', 'Open the row'],
  ['/', 'Search'],
  ['g i', 'Find by id'],
  ['Esc', 'Close, or leave the search'],
  ['b', 'Block the account, merchant or device'],
  ['?', 'These keys'],
];

const REVIEW_KEYS: readonly (readonly [string, string])[] = [
  ['n', 'Claim the next case'],
  ['c', 'Claim the case'],
  ['x', 'Select the case, or take it out'],
  ['d', 'Decide the selected cases'],
  ['f', 'Decide: fraud'],
  ['l', 'Decide: legitimate'],
  ['u', 'Decide: unsure'],
  ['e', 'Escalate'],
  ['y', 'Confirm the decision of another'],
  ['w', 'Write a note'],
  ['z', 'Undo the decision'],
];

const RULE_KEYS: readonly (readonly [string, string])[] = [
  ['n', 'Backtests: ask for one'],
  ['n', 'Draft: add a rule'],
  ['s', 'Draft: save; in a field, with Ctrl'],
];

const CONTROL_KEYS: readonly (readonly [string, string])[] = [
  ['c', 'Controls: stop a corridor'],
  ['m', 'Controls: stop the market'],
  ['l', 'Controls: stop a client'],
  ['f', 'Controls: freeze a corridor or the market'],
  ['i', 'Controls: set a limit'],
];

export function Help({
  pages,
  onClose,
}: {
  readonly pages: readonly Page[];
  readonly onClose: () => void;
}) {
  const isReviewer = pages.some(({ path }) => path === '/review');
  const rows = [
    ...KEYS,
    ...(isReviewer ? REVIEW_KEYS : []),
    ...(pages.some(({ path }) => path === '/controls') ? CONTROL_KEYS : []),
    ...(pages.some(({ path }) => path === '/rules') ? RULE_KEYS : []),
    ...pages.map(({ key, name }) => [`g ${key}`, name] as const),
  ];
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <dl className="keys">
        {rows.map(([key, meaning]) => (
          <div key={key}>
            <dt>
              {key.split(' ').map((one) => (
                <kbd key={one}>{one}</kbd>
              ))}
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
