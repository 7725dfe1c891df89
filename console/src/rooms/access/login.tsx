/** Login: an API key, or the token of a link in the fragment of the address, which no server sees, for a session. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { ask, Refusal } from '../../api/ask.ts';
import { ME } from '../../api/me.ts';

/** Reads the token of a link, and removes it from the address and the history. */
function takeToken(): string | undefined {
  const token = /^#login=([\w]+)$/.exec(location.hash)?.[1];
  if (token !== undefined) history.replaceState(null, '', location.pathname + location.search);
  return token;
}

/** Taken before anything else sees the address. */
let linkToken = takeToken();

async function logIn(token: string) {
  await ask('POST /v1/sessions', { token });
  try {
    return await ask('GET /v1/me', {});
  } catch (error) {
    if (!(error instanceof Refusal) || error.status !== 401) throw error;
    throw new Error(
      'The browser keeps no session over this address: open the console over HTTPS, or at 127.0.0.1.',
    );
  }
}

/** The provider of identities by which people log in; null where there is none. */
async function readProvider(): Promise<string | null> {
  const answer = await fetch('/oidc');
  if (!answer.ok) return null;
  const { provider }: { provider: string | null } = await answer.json();
  return provider;
}

function ProviderLogin() {
  const { data: provider = null } = useQuery({ queryKey: ['oidc'], queryFn: readProvider });
  if (provider === null) return null;
  return (
    <p>
      <a href="/oidc/login">Log in by {provider}</a>, or <a href="/oidc/logout">log out there</a>.
    </p>
  );
}

export function LoginPage() {
  const client = useQueryClient();
  const [key, setKey] = useState('');
  const login = useMutation({
    mutationFn: logIn,
    onSuccess: (me) => client.setQueryData(ME, me),
  });
  const { mutate } = login;
  useEffect(() => {
    document.title = 'Log in · Risk engine';
    const tryLink = () => {
      const token = takeToken() ?? linkToken;
      linkToken = undefined;
      if (token !== undefined) mutate(token);
    };
    tryLink();
    // A link that is opened in this very tab changes the fragment alone.
    addEventListener('hashchange', tryLink);
    return () => removeEventListener('hashchange', tryLink);
  }, [mutate]);
  return (
    <main className="login">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          mutate(key.trim());
        }}
      >
        <h1>Risk engine</h1>
        <label>
          <span>API key</span>
          <input
            type="password"
            name="key"
            autoComplete="current-password"
            required
            // biome-ignore lint/a11y/noAutofocus: the page has one field
            autoFocus
            value={key}
            onChange={({ target }) => setKey(target.value)}
            aria-describedby="login-help"
            aria-invalid={login.isError}
          />
        </label>
        {login.error === null ? null : (
          <p role="alert" className="error">
            {login.error.message}
          </p>
        )}
        <button type="submit" className="primary" disabled={login.isPending}>
          {login.isPending ? 'Logging in …' : 'Log in'}
        </button>
        <ProviderLogin />
        <p id="login-help" className="muted small">
          The key is exchanged for a session, which ends after half an hour without use, and is not
          kept here. <code>npm start</code> prints a link that logs in by itself.
        </p>
      </form>
    </main>
  );
}
