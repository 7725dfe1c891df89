/** The provider of identities: authorization code flow with PKCE, state and nonce, which openid-client checks. */
import {
  AuthorizationResponseError,
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  type ClientAuth,
  ClientError,
  ClientSecretBasic,
  ClientSecretJwt,
  ClientSecretPost,
  type Configuration,
  calculatePKCECodeChallenge,
  clockTolerance,
  discovery,
  fetchUserInfo,
  None,
  ResponseBodyError,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
  type ServerMetadata,
  WWWAuthenticateChallengeError,
} from 'openid-client';
import { shortText } from '../../../kit/words/describe-issue.ts';
import { Failure, reasonOf } from '../../../kit/words/failure.ts';
import { type Claims, mergeClaims } from './claims.ts';

type ProviderOptions = {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  /** Scopes with blanks between them. */
  readonly scope: string;
  /** URL to which the provider sends the browser back. */
  readonly redirectUrl: string;
};

/** Values that the browser keeps between the two requests of a login. */
export type Pending = {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
};

/** Deadline of a request to the provider. Larger: a person waits longer for a refusal; smaller: a slow provider fails. */
const TIMEOUT_SECONDS = 5;
/** Difference of clocks. Larger: an ID token counts longer after its end; smaller: logins fail where a clock goes wrong. */
const CLOCK_SECONDS = 300;
/** Most characters of the provider's own words; Entra ID adds identifiers of the request behind its sentence. */
const WORDS_CHARS_MAX = 200;

/** Methods of a client with a secret, in the order in which they are tried. */
const METHODS = [
  ['client_secret_basic', ClientSecretBasic],
  ['client_secret_post', ClientSecretPost],
  ['client_secret_jwt', ClientSecretJwt],
] as const;
/** Methods that the provider lists; a provider without a list takes the first (OpenID Connect Discovery). */
function methodsOf({ token_endpoint_auth_methods_supported: listed = [] }: ServerMetadata) {
  const methods = METHODS.filter(([name]) => listed.includes(name));
  return methods.length === 0 ? METHODS.slice(0, 1) : methods;
}

export function createProvider(options: ProviderOptions) {
  const { redirectUrl, clientSecret, scope } = options;
  let found: Promise<Configuration> | undefined;
  /** Index of the method that the provider takes from this client: a provider lists all of its methods, and a client has one. */
  let method = 0;
  const authenticate: ClientAuth = (provider, ...request) => {
    const methods = methodsOf(provider);
    return methods[method % methods.length]?.[1](clientSecret)(provider, ...request);
  };
  // The first login discovers the provider, and a login after a failure tries again, so the engine starts without the provider.
  const configuration = () => {
    found ??= discover(options, clientSecret === undefined ? None() : authenticate).catch(
      async (error: unknown) => {
        found = undefined;
        return await refuse(error, false);
      },
    );
    return found;
  };
  const exchange = async (ours: Configuration, url: URL, pending: Pending) => {
    const checks = {
      expectedState: pending.state,
      expectedNonce: pending.nonce,
      pkceCodeVerifier: pending.verifier,
      idTokenExpected: true,
    };
    const { length } = methodsOf(ours.serverMetadata());
    for (let tries = 1; ; tries++) {
      const used = method;
      try {
        return await authorizationCodeGrant(ours, url, checks);
      } catch (error) {
        if (clientSecret === undefined || tries >= length || !isUnknownClient(error)) throw error;
        if (method === used) method = (used + 1) % length;
      }
    }
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
        scope,
        state: pending.state,
        nonce: pending.nonce,
        code_challenge: await calculatePKCECodeChallenge(pending.verifier),
        code_challenge_method: 'S256',
      });
      return { url, pending };
    },
    /** @param query of the request by which the browser came back */
    finish: async (query: string, pending: Pending): Promise<Claims> => {
      const ours = await configuration();
      const claimed = async () => {
        const tokens = await exchange(ours, new URL(`${redirectUrl}${query}`), pending);
        const claims = tokens.claims();
        if (claims === undefined) throw new Error('the provider sent no ID token');
        // Many providers have groups and addresses only in the answer about the user.
        const info =
          ours.serverMetadata().userinfo_endpoint === undefined
            ? {}
            : await fetchUserInfo(ours, tokens.access_token, claims.sub);
        return mergeClaims(info, claims);
      };
      return await claimed().catch(async (error: unknown) => await refuse(error));
    },
    /** Page where a browser logs out of the provider; undefined where the provider has none. */
    endUrl: async (backTo: string) => {
      const ours = await configuration();
      if (ours.serverMetadata().end_session_endpoint === undefined) return undefined;
      return buildEndSessionUrl(ours, { post_logout_redirect_uri: backTo });
    },
  };
}

/** Some providers write another word than `invalid_client` beside the status 401. */
const isUnknownClient = (error: unknown) =>
  error instanceof WWWAuthenticateChallengeError ||
  (error instanceof ResponseBodyError &&
    (error.status === 401 || error.error === 'invalid_client'));

/** Errors that say nothing about the person and the client: a later login may pass. */
const FOR_NOW = ['temporarily_unavailable', 'server_error'];

/** The provider's own words for its refusal; undefined where the provider has not refused. */
async function wordsOf(error: unknown): Promise<string | undefined> {
  let said: { readonly error?: unknown; readonly error_description?: unknown };
  if (error instanceof AuthorizationResponseError || error instanceof ResponseBodyError) {
    said = error;
  } else if (error instanceof WWWAuthenticateChallengeError) {
    const body: unknown = await error.response.json().catch(() => undefined);
    // Microsoft Graph writes an object in the place of the code.
    const texts = Object.entries(Object(body)).filter(([, value]) => typeof value === 'string');
    const status = { error: `status ${error.status}` };
    said = { ...status, ...error.cause[0]?.parameters, ...Object.fromEntries(texts) };
  } else return undefined;
  const description = said.error_description === undefined ? '' : ` (${said.error_description})`;
  return shortText(`${said.error}${description}`.replaceAll(/\s+/g, ' '), WORDS_CHARS_MAX);
}

/**
 * @param isPersonal false where no person may be told that the login was refused: the provider was not found
 * @throws Failure where the provider refuses, does not answer, or its answer does not fit the login
 */
async function refuse(error: unknown, isPersonal = true): Promise<never> {
  const fail = (isForNow: boolean, why: string) => {
    const kind = isForNow || !isPersonal ? 'unavailable' : 'conflict';
    return new Failure(kind, 'PROVIDER_REFUSED', why, { cause: error });
  };
  const words = await wordsOf(error);
  if (words !== undefined) {
    const isForNow = FOR_NOW.some((code) => words.startsWith(code));
    throw fail(isForNow, `the provider refused the login: ${words}`);
  }
  if (error instanceof TypeError) throw fail(true, 'the provider does not answer');
  if (!(error instanceof ClientError)) throw error;
  const { cause, code } = error;
  if (code === 'OAUTH_TIMEOUT') throw fail(true, 'the provider does not answer');
  // The HTTP server has put a class of its own in the place of Response.
  const { status, url }: { status?: unknown; url?: unknown } = Object(cause);
  if (typeof status === 'number') {
    const isForNow = status < 400 || status === 429 || status >= 500;
    throw fail(isForNow, `the provider answers with the status ${status} at ${url}`);
  }
  const hint = code === 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED' ? '; compare the clocks' : '';
  throw fail(false, `the provider's answer does not fit the login: ${reasonOf(error)}${hint}`);
}

/** Finds the provider, also where the provider writes its issuer with another slash at the end than the setting. */
async function discover(options: ProviderOptions, auth: ClientAuth): Promise<Configuration> {
  const find = async (url: URL) =>
    await discovery(url, options.clientId, { [clockTolerance]: CLOCK_SECONDS }, auth, {
      timeout: TIMEOUT_SECONDS,
      // The settings allow http on this machine alone.
      execute: url.protocol === 'http:' ? [allowInsecureRequests] : [],
    });
  const asked = new URL(options.issuer);
  const bare = (url: string) => url.replace(/\/$/, '');
  return await find(asked).catch(async (error: unknown) => {
    const said = error instanceof ClientError ? Object(Object(error.cause).body).issuer : undefined;
    if (typeof said !== 'string') throw error;
    if (bare(said) === bare(asked.href)) return await find(new URL(said));
    const why = `the provider says that it is the issuer ${said}, and RISK_OIDC_ISSUER names ${asked.href}`;
    throw new Failure('unavailable', 'PROVIDER_REFUSED', why, { cause: error });
  });
}
