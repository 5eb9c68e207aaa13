/**
 * A fake identity provider for tests: an OAuth 2.1 authorization server over plain HTTP, whose sign-in form and consent page a person or
 * a test fills in by hand. It keeps a journal of everything it issued. Never part of the product.
 */
import { appendFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Grants, type IssuedTokens, type Journal } from './grants.ts';
import { toConsentPage, toDonePage, toRefusalPage, toSignInPage } from './pages.ts';

export type FakeIdentityProvider = {
  /** Where browsers and CLIs reach it, without a slash at the end. */
  url: string;
  close: () => Promise<void>;
};

export type FakeIdentityProviderOptions = {
  host: string;
  /** 0 for any. */
  port: number;
  /** Gets one JSON line for each thing issued or refused, codes and tokens included. */
  journal: string;
  /** Passwords by user name. */
  users: Readonly<Record<string, string>>;
  /** Begins every code and token, so that a test can look for it anywhere. */
  tokenPrefix: string;
};

const ACCESS_TOKEN_SECONDS = 3600;
const MAX_BODY_CHARS = 16 * 1024;

type Answer = { status: number; type: string; body: string; location?: string };

export async function startFakeIdentityProvider(options: FakeIdentityProviderOptions): Promise<FakeIdentityProvider> {
  const { host, port, journal, users, tokenPrefix } = options;
  const record: Journal = (entry) => appendFileSync(journal, `${JSON.stringify(entry)}\n`, { mode: 0o600 });
  const grants = new Grants(record, tokenPrefix);

  const authorize = (query: URLSearchParams): Answer => {
    const begun = grants.begin(query);
    return 'problem' in begun
      ? html(400, toRefusalPage(begun.problem))
      : html(200, toSignInPage(begun.requestId, false));
  };
  const signIn = (form: URLSearchParams): Answer => {
    const requestId = form.get('request') ?? '';
    const user = form.get('user') ?? '';
    const password = Object.hasOwn(users, user) ? users[user] : undefined;
    if (password === undefined || form.get('password') !== password) return html(401, toSignInPage(requestId, true));
    const request = grants.signIn(requestId, user);
    if (!request) return html(400, toRefusalPage('This sign-in is over.'));
    return html(200, toConsentPage(requestId, request.clientId, request.scope));
  };
  const consent = (form: URLSearchParams): Answer => {
    const location = grants.decide(form.get('request') ?? '', form.get('decision') === 'allow');
    return location === null
      ? html(400, toRefusalPage('This sign-in is over.'))
      : { status: 303, type: 'text/plain', body: '', location };
  };
  const token = (form: URLSearchParams): Answer => {
    const grant = form.get('grant_type');
    if (grant === 'authorization_code') return toTokenAnswer(grants.redeemCode(form));
    if (grant === 'refresh_token') return toTokenAnswer(grants.refresh(form.get('refresh_token') ?? ''));
    return json(400, { error: 'unsupported_grant_type' });
  };
  const revoke = (form: URLSearchParams): Answer => {
    grants.revoke(form.get('token') ?? '');
    return json(200, {});
  };

  const route = async (request: IncomingMessage): Promise<Answer> => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    switch (`${request.method} ${pathname}`) {
      case 'GET /oauth2/auth':
        return authorize(searchParams);
      case 'POST /oauth2/sign-in':
        return signIn(await readForm(request));
      case 'POST /oauth2/consent':
        return consent(await readForm(request));
      case 'POST /oauth2/token':
        return token(await readForm(request));
      case 'POST /oauth2/revoke':
        return revoke(await readForm(request));
      default:
        // CLIs send the browser to a page of the provider's when they are done.
        return request.method === 'GET' ? html(200, toDonePage()) : html(404, toRefusalPage('There is nothing here.'));
    }
  };
  const server = createServer((request, response) => {
    route(request).then(
      (answer) => send(response, answer),
      () => send(response, html(400, toRefusalPage('The request could not be read.'))),
    );
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  const bound = server.address() as AddressInfo;
  return {
    url: `http://${host}:${bound.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function toTokenAnswer(tokens: IssuedTokens | null): Answer {
  if (!tokens) return json(400, { error: 'invalid_grant' });
  return json(200, {
    token_type: 'bearer',
    access_token: tokens.accessToken,
    refresh_token: tokens.refreshToken,
    expires_in: ACCESS_TOKEN_SECONDS,
    scope: tokens.scope,
  });
}

function html(status: number, body: string): Answer {
  return { status, type: 'text/html', body };
}

function json(status: number, value: unknown): Answer {
  return { status, type: 'application/json', body: JSON.stringify(value) };
}

function send(response: ServerResponse, { status, type, body, location }: Answer): void {
  response.writeHead(status, {
    'content-type': `${type}; charset=utf-8`,
    'cache-control': 'no-store',
    ...(location !== undefined && { location }),
  });
  response.end(body);
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  let body = '';
  for await (const chunk of request) {
    body += String(chunk);
    if (body.length > MAX_BODY_CHARS) throw new Error('the form is too large');
  }
  return new URLSearchParams(body);
}
