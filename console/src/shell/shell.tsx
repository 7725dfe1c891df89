/** The frame around every page: navigation, theme, who is logged in, and the keys that work everywhere. */
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import { Link, useLocation } from 'wouter';
import type { Me } from '../../../src/kit/client/api-types.ts';
import { ask } from '../api/ask.ts';
import { ME, sees } from '../api/me.ts';
import { person } from '../format.ts';
import { zoneName } from '../parts/local-time.ts';
import { Find } from './find.tsx';
import { Help } from './help.tsx';
import { MarketChoice } from './market.tsx';
import { PAGES } from './pages.ts';
import { useShortcuts } from './shortcuts.ts';
import { CHOICES, chooseTheme, useTheme } from './theme.ts';

type ShellProps = {
  readonly me: Me;
  /** The mark beside the name of a page in the navigation, by the path of the page. */
  readonly marks: Readonly<Record<string, ReactNode>>;
  readonly children: ReactNode;
};

export function Shell({ me, marks, children }: ShellProps) {
  const [path, go] = useLocation();
  const [isMenuOpen, setMenuOpen] = useState(false);
  const [isHelpOpen, setHelpOpen] = useState(false);
  const pages = PAGES.filter(({ roles }) => sees(me, ...roles));
  useShortcuts({
    ...Object.fromEntries(pages.map(({ key, path: to }) => [`g ${key}`, () => go(to)])),
    '?': () => setHelpOpen(true),
    '/': () => focus('[data-search]') || focus('[data-find]'),
    'g i': () => focus('[data-find]'),
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the menu closes with each new page
  useEffect(() => setMenuOpen(false), [path]);
  return (
    <div className="shell">
      <a className="skip" href="#page">
        Skip to the page
      </a>
      <header className="side" data-open={isMenuOpen}>
        <div className="brand">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <rect width="32" height="32" rx="7" />
            <path d="M7 20.500 12.500 14l4.500 4L25 9.500" />
          </svg>
          <strong>Risk engine</strong>
          <button
            type="button"
            className="menu"
            aria-expanded={isMenuOpen}
            aria-controls="navigation"
            onClick={() => setMenuOpen(!isMenuOpen)}
          >
            Menu
          </button>
        </div>
        <Find me={me} />
        <nav id="navigation" aria-label="Pages">
          {pages.map(({ path: to, name, key, icon }) => (
            <Link
              key={to}
              href={to}
              aria-current={isUnder(path, to) ? 'page' : undefined}
              data-key={`g ${key}`}
            >
              <svg viewBox="0 0 16 16" aria-hidden="true">
                <path d={icon} />
              </svg>
              {name}
              {marks[to]}
            </Link>
          ))}
        </nav>
        <Account me={me} onHelp={() => setHelpOpen(true)} />
      </header>
      <main id="page" tabIndex={-1}>
        {children}
        <p className="zone muted small">Times are of {zoneName()}.</p>
      </main>
      {isHelpOpen ? <Help pages={pages} onClose={() => setHelpOpen(false)} /> : null}
    </div>
  );
}

function isUnder(path: string, page: string): boolean {
  if (page === '/') return path === '/';
  const isParty = page === '/transactions' && /^\/(accounts|merchants|devices)\//.test(path);
  return path === page || path.startsWith(`${page}/`) || isParty;
}

function focus(selector: string): boolean {
  const input = document.querySelector<HTMLInputElement>(selector);
  input?.focus();
  return input !== null;
}

function Account({ me, onHelp }: { readonly me: Me; readonly onHelp: () => void }) {
  const { choice } = useTheme();
  const client = useQueryClient();
  const logOut = async () => {
    if (me.session_id === null) return;
    await ask('DELETE /v1/sessions/{id}', { path: { id: me.session_id } });
    client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== ME[0] });
    client.setQueryData(ME, null);
  };
  return (
    <div className="account">
      <MarketChoice />
      <label>
        <span>Theme</span>
        <select
          value={choice}
          onChange={({ target }) =>
            chooseTheme(CHOICES.find((one) => one === target.value) ?? 'system')
          }
        >
          {CHOICES.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </label>
      <p className="zone muted small">Times are of {zoneName()}.</p>
      <p className="who">
        <strong title={me.owner}>{person(me.identity ?? me.owner)}</strong>
        <span className="muted small">
          {me.roles.map((role) => role.replace('_', ' ')).join(', ')}
        </span>
      </p>
      <div className="row">
        <button type="button" onClick={() => void logOut()}>
          Log out
        </button>
        <button type="button" className="key-hint" onClick={onHelp} aria-label="Keyboard shortcuts">
          ?
        </button>
      </div>
    </div>
  );
}
