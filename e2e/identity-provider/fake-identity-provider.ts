/**
 * A fake identity provider for tests: OAuth 2.1 authorization servers of several vendors, told apart by the host's name, whose sign-in
 * form and consent page a person or a test fills in by hand. It keeps a journal of everything it issued. Never part of the product.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { readAsked, send, toHtml, toRedirect, type Answer, type Asked } from './answer.ts';
import { GOOD_BEHAVIOUR, type Behaviour } from './behaviour.ts';
import { DeviceCodes } from './device-codes.ts';
import { Grants, type Journal } from './grants.ts';
import { toConsentPage, toDonePage, toRefusalPage, toSignInPage } from './pages.ts';
import type { Surroundings } from './vendor.ts';
import { VENDORS } from './vendors.ts';

export type FakeIdentityProvider = {
  /** Where browsers and CLIs reach it, without a slash at the end. */
  url: string;
  behave: (change: Partial<Behaviour>) => void;
  close: () => Promise<void>;
};

export type FakeIdentityProviderOptions = {
  host: string;
  /** Of plain HTTP; 0 for any. */
  port: number;
  /** With a certificate for every vendor's hosts, as files of PEM. */
  tls?: { port: number; keyFile: string; certFile: string };
  /** Gets one JSON line for each thing issued or refused, codes and tokens included. */
  journal: string;
  /** Passwords by user name. */
  users: Readonly<Record<string, string>>;
  /** API keys and the like that people have from elsewhere: whose each is. */
  keys?: Readonly<Record<string, string>>;
  /** Begins every code, and every token of a vendor whose own look does not matter, so that a test can look for it anywhere. */
  tokenPrefix: string;
};

export async function startFakeIdentityProvider(options: FakeIdentityProviderOptions): Promise<FakeIdentityProvider> {
  const { host, port, tls, journal, users, keys = {}, tokenPrefix } = options;
  const record: Journal = (entry) => appendFileSync(journal, `${JSON.stringify(entry)}\n`, { mode: 0o600 });
  const grants = new Grants(record, tokenPrefix);
  for (const [key, user] of Object.entries(keys)) grants.accept(key, user);
  let behaviour = GOOD_BEHAVIOUR;
  const showSignIn = (requestId: string): Answer => toHtml(200, toSignInPage(requestId, false));
  const surroundings: Surroundings = {
    grants,
    deviceCodes: new DeviceCodes(grants),
    behaviour: () => behaviour,
    showSignIn,
    authorize(query, rules) {
      const begun = grants.begin(query, rules);
      return 'problem' in begun ? toHtml(400, toRefusalPage(begun.problem)) : showSignIn(begun.requestId);
    },
  };
  const byHost = new Map(
    VENDORS.flatMap(({ hosts, createAnswer }) => {
      const answerAsked = createAnswer(surroundings);
      return hosts.map((name) => [name, answerAsked] as const);
    }),
  );

  const signIn = (fields: URLSearchParams): Answer => {
    const requestId = fields.get('request') ?? '';
    const user = fields.get('user') ?? '';
    const password = Object.hasOwn(users, user) ? users[user] : undefined;
    if (password === undefined || fields.get('password') !== password) {
      record({ type: 'password_refused', user });
      return toHtml(401, toSignInPage(requestId, true));
    }
    const request = grants.signIn(requestId, user);
    if (!request) return toHtml(400, toRefusalPage('This sign-in is over.'));
    return toHtml(200, toConsentPage(requestId, request.clientId, request.scope));
  };
  const consent = (fields: URLSearchParams): Answer => {
    const location = grants.decide(fields.get('request') ?? '', fields.get('decision') === 'allow');
    return location === null ? toHtml(400, toRefusalPage('This sign-in is over.')) : toRedirect(location);
  };
  const answer = (asked: Asked): Answer => {
    if (asked.method === 'POST' && asked.path === '/fake/sign-in') return signIn(asked.fields);
    if (asked.method === 'POST' && asked.path === '/fake/consent') return consent(asked.fields);
    const found = byHost.get(asked.host)?.(asked);
    if (found) return found;
    // CLIs send the browser to a page of the provider's when they are done.
    if (asked.method === 'GET' || asked.method === 'HEAD') return toHtml(200, toDonePage());
    return toHtml(404, toRefusalPage('There is nothing here.'));
  };
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    readAsked(request).then(
      (asked) => {
        const given = answer(asked);
        record({ type: 'answered', request: `${asked.method} ${asked.host}${asked.path}`, status: `${given.status}` });
        send(response, given);
      },
      () => send(response, toHtml(400, toRefusalPage('The request could not be read.'))),
    );
  };

  const plain = createPlainServer(serve);
  const servers = [plain];
  const bound = await listen(plain, port, host);
  if (tls) {
    const secure = createTlsServer({ key: readFileSync(tls.keyFile), cert: readFileSync(tls.certFile) }, serve);
    servers.push(secure);
    await listen(secure, tls.port, host);
  }
  return {
    url: `http://${host}:${bound.port}`,
    behave: (change) => void (behaviour = { ...behaviour, ...change }),
    close: async () => {
      await Promise.all(
        servers.map((server) => {
          const closed = new Promise<void>((resolve) => server.close(() => resolve()));
          server.closeAllConnections();
          return closed;
        }),
      );
    },
  };
}

async function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  return server.address() as AddressInfo;
}
