/**
 * A provider of identities that answers as a test says: its metadata, the claims of its tokens, its errors and the clients it
 * takes. It checks clients, codes and PKCE as RFC 6749 and RFC 7636 say, and signs its ID tokens.
 */
import { createHash, generateKeyPairSync, constants as rsa, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

type Claims = Readonly<Record<string, unknown>>;
type Answer = { readonly status: number; readonly body: unknown; readonly challenge?: string };

const KEYS = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  PS256: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  EdDSA: generateKeyPairSync('ed25519').privateKey,
};
export type Algorithm = keyof typeof KEYS;
const PSS = { padding: rsa.RSA_PKCS1_PSS_PADDING, saltLength: 32 };

export type ProviderForm = {
  /** Behind the host of the issuer. */
  readonly path?: string;
  readonly metadata?: Claims;
  readonly algorithm?: Algorithm;
  readonly client?: { readonly id: string; readonly secret: string; readonly method: string };
  readonly idToken?: Claims;
  /** Absent: the provider has no answer about users. */
  readonly info?: Claims;
  /** Parameters of the answer to the browser beside the state, in the place of a code. */
  readonly refusal?: Readonly<Record<string, string>>;
  /** Answers in the place of the token endpoint, of the answer about users and of discovery. */
  readonly token?: Answer;
  readonly userinfo?: Answer;
  readonly discovery?: Answer;
};

const CLIENT = { id: 'risk-engine', secret: 'a-secret', method: 'client_secret_basic' };
const json = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

function signToken(claims: Claims, algorithm: Algorithm): string {
  const content = `${json({ alg: algorithm, typ: 'JWT', kid: algorithm })}.${json(claims)}`;
  const key = KEYS[algorithm];
  const own = { key, dsaEncoding: 'ieee-p1363' as const, ...(algorithm === 'PS256' ? PSS : {}) };
  const hash = algorithm === 'EdDSA' ? null : 'sha256';
  return `${content}.${sign(hash, Buffer.from(content), own).toString('base64url')}`;
}

/** RFC 6749, 2.3.1: both parts are encoded as in a form before they become user and password. */
const decoded = (part = '') => decodeURIComponent(part.replaceAll('+', ' '));

function methodOf({ headers }: IncomingMessage, form: URLSearchParams, client: typeof CLIENT) {
  const basic = /^Basic (.+)$/.exec(headers.authorization ?? '')?.[1];
  const [id, secret] = Buffer.from(basic ?? '', 'base64')
    .toString()
    .split(':')
    .map(decoded);
  if (id === client.id && secret === client.secret) return 'client_secret_basic';
  if (form.get('client_id') !== client.id) return undefined;
  if (form.get('client_secret') === client.secret) return 'client_secret_post';
  return form.has('client_assertion') ? 'client_secret_jwt' : undefined;
}

export async function startProvider(first: ProviderForm = {}) {
  const codes = new Map<string, URLSearchParams>();
  /** Methods by which clients have come. */
  const methods: (string | undefined)[] = [];
  const provider = { form: first };
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer = origin + (first.path ?? '');

  const discover = (): Answer => ({
    status: 200,
    body: {
      issuer,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      jwks_uri: `${origin}/jwks`,
      id_token_signing_alg_values_supported: Object.keys(KEYS),
      ...(provider.form.info && { userinfo_endpoint: `${origin}/userinfo` }),
      ...provider.form.metadata,
    },
  });
  const grant = async (request: IncomingMessage): Promise<Answer> => {
    const form = new URLSearchParams(await text(request));
    const { client = CLIENT, idToken, algorithm = 'RS256', token } = provider.form;
    const method = methodOf(request, form, client);
    methods.push(method);
    if (token !== undefined) return token;
    if (method !== client.method)
      return {
        status: 401,
        body: { error: 'invalid_client', error_description: 'Client authentication failed' },
        ...(request.headers.authorization && { challenge: 'Basic realm="provider"' }),
      };
    const asked = codes.get(form.get('code') ?? '');
    codes.delete(form.get('code') ?? '');
    const hash = createHash('sha256').update(form.get('code_verifier') ?? '');
    if (asked?.get('code_challenge') !== hash.digest('base64url'))
      return { status: 400, body: { error: 'invalid_grant' } };
    const seconds = Math.floor(Date.now() / 1000);
    const nonce = asked?.get('nonce');
    const usual = {
      iss: issuer,
      sub: 's',
      aud: client.id,
      iat: seconds,
      exp: seconds + 300,
      nonce,
    };
    const id_token = signToken({ ...usual, ...idToken }, algorithm);
    return { status: 200, body: { access_token: 'token', token_type: 'Bearer', id_token } };
  };
  const answer = async (request: IncomingMessage): Promise<Answer> => {
    const { pathname } = new URL(request.url ?? '', origin);
    if (pathname === '/token') return await grant(request);
    const { info, userinfo = { status: 200, body: { sub: 's', ...info } } } = provider.form;
    if (pathname === '/userinfo') return userinfo;
    const isDiscovery =
      pathname ===
      `${new URL(issuer).pathname.replace(/\/$/, '')}/.well-known/openid-configuration`;
    return isDiscovery ? (provider.form.discovery ?? discover()) : { status: 404, body: {} };
  };
  server.on('request', async (request, response) => {
    const { status, body, challenge } = await answer(request);
    const type = typeof body === 'string' ? 'text/html' : 'application/json';
    const headers = { 'Content-Type': type, ...(challenge && { 'WWW-Authenticate': challenge }) };
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  return Object.assign(provider, {
    issuer,
    methods,
    /** The browser asks the provider for a login. @returns the URL by which the provider sends the browser back */
    authorize: (location: string): string => {
      const asked = new URL(location).searchParams;
      const code = `code-${codes.size + methods.length}-${asked.get('state')}`;
      codes.set(code, asked);
      const back = new URL(asked.get('redirect_uri') ?? '');
      const hasIssuer = provider.form.metadata?.['authorization_response_iss_parameter_supported'];
      const said = {
        state: asked.get('state') ?? '',
        ...(hasIssuer === true && { iss: issuer }),
        ...(provider.form.refusal ?? { code }),
      };
      for (const [name, value] of Object.entries(said)) back.searchParams.set(name, value);
      return back.href;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  });
}
