/** The provider of identities: authorization code flow with PKCE, state and nonce, which openid-client checks. */
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  ClientError,
  ClientSecretBasic,
  type Configuration,
  calculatePKCECodeChallenge,
  discovery,
  fetchUserInfo,
  None,
  ResponseBodyError,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
  WWWAuthenticateChallengeError,
} from 'openid-client';
import { Failure } from '../../../kit/words/failure.ts';

type ProviderOptions = {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  /** URL to which the provider sends the browser back. */
  readonly redirectUrl: string;
};

/** Values that the browser keeps between the two requests of a login. */
export type Pending = {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
};
export type Claims = Readonly<Record<string, unknown>> & { readonly sub: string };

export type Provider = {
  readonly begin: () => Promise<{ readonly url: URL; readonly pending: Pending }>;
  /** @param query of the request by which the browser came back */
  readonly finish: (query: string, pending: Pending) => Promise<Claims>;
  /** Page where a browser logs out of the provider; undefined where the provider has none. */
  readonly endUrl: (backTo: string) => Promise<URL | undefined>;
};

/** Deadline of a request to the provider. Larger: a person waits longer for a refusal; smaller: a slow provider fails. */
const TIMEOUT_SECONDS = 5;

export function createProvider(options: ProviderOptions): Provider {
  const { redirectUrl } = options;
  let found: Promise<Configuration> | undefined;
  // The first login discovers the provider, and a login after a failure tries again, so the engine starts without the provider.
  const configuration = () => {
    found ??= discover(options).catch((error: unknown) => {
      found = undefined;
      throw error;
    });
    return found;
  };
  return {
    begin: async () => {
      const pending = {
        state: randomState(),
        nonce: randomNonce(),
        verifier: randomPKCECodeVerifier(),
      };
      const url = buildAuthorizationUrl(await configuration(), {
        redirect_uri: redirectUrl,
        scope: 'openid email profile',
        state: pending.state,
        nonce: pending.nonce,
        code_challenge: await calculatePKCECodeChallenge(pending.verifier),
        code_challenge_method: 'S256',
      });
      return { url, pending };
    },
    finish: async (query, { state, nonce, verifier }) => {
      const ours = await configuration();
      const claimed = async () => {
        const tokens = await authorizationCodeGrant(ours, new URL(`${redirectUrl}${query}`), {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: verifier,
          idTokenExpected: true,
        });
        const claims = tokens.claims();
        if (claims === undefined) throw new Error('the provider sent no ID token');
        // Many providers have groups and addresses only in the answer about the user.
        const info =
          ours.serverMetadata().userinfo_endpoint === undefined
            ? {}
            : await fetchUserInfo(ours, tokens.access_token, claims.sub);
        return { ...info, ...claims };
      };
      return await claimed().catch(refuse);
    },
    endUrl: async (backTo) => {
      const ours = await configuration();
      if (ours.serverMetadata().end_session_endpoint === undefined) return undefined;
      return buildEndSessionUrl(ours, { post_logout_redirect_uri: backTo });
    },
  };
}

const REFUSALS = [ClientError, ResponseBodyError, WWWAuthenticateChallengeError];

/** @throws Failure where the provider refuses, or its answer does not fit the login; only the cause has the provider's words */
function refuse(error: unknown): never {
  if (!REFUSALS.some((kind) => error instanceof kind)) throw error;
  const why = 'the provider refused the login, or its answer does not fit the login';
  throw new Failure('conflict', 'PROVIDER_REFUSED', why, { cause: error });
}

async function discover(options: ProviderOptions): Promise<Configuration> {
  const { issuer, clientId, clientSecret } = options;
  const url = new URL(issuer);
  return await discovery(
    url,
    clientId,
    undefined,
    clientSecret === undefined ? None() : ClientSecretBasic(clientSecret),
    {
      timeout: TIMEOUT_SECONDS,
      // The settings allow http on this machine alone.
      execute: url.protocol === 'http:' ? [allowInsecureRequests] : [],
    },
  );
}
