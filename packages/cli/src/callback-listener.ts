/**
 * Stands in for the CLI's own callback server on the person's machine (RFC 8252, section 7.3): listens on the loopback alone, takes the one
 * request that belongs to this sign-in, passes it on and shows the browser how it went. Every other request is refused and changes nothing.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { recognizeAnswer, type Offer } from '@vestibule/protocol/offer';
import { toFirstPart, toHeaders, toLastPart, toWholePage, type CallbackOutcome } from './callback-page.ts';
import { findSystemCode } from './cli-error.ts';

export type CallbackListenerOptions = {
  /** Port and path of `callback`, and the link whose state must come back. */
  offer: Pick<Offer, 'url'> & { callback: NonNullable<Offer['callback']> };
  /** Called once with the whole address; how it went is shown to the browser. `again` waits for another request. */
  take: (address: string) => Promise<CallbackOutcome & { again?: boolean }>;
  /** Told of every refused request to the callback's path, in words for the person. */
  onRefused?: (words: string) => void;
};

export type CallbackListener = {
  /** The addresses it listens on. */
  addresses: readonly string[];
  /** Lets an answer that is being sent come to its end. */
  close(): Promise<void>;
};

export type NoListener = { problem: 'in_use' | 'not_allowed' | 'failed'; words: string };

const V4 = '127.0.0.1';
const V6 = '::1';

/**
 * Listens on 127.0.0.1 and, where this machine has it, ::1, as `localhost` may mean either. When another program holds the port on one of
 * them the browser could end there, so that is no listening at all.
 */
export async function listenForCallback(options: CallbackListenerOptions): Promise<CallbackListener | NoListener> {
  const { port } = options.offer.callback;
  const callback = new Callback(options);
  const servers: Server[] = [];
  const addresses: string[] = [];
  const closeAll = async (): Promise<void> => {
    const closed = servers.map((server) => new Promise((resolve) => server.close(resolve)));
    await callback.settled();
    // Browsers keep connections in store that never ask for anything.
    for (const server of servers) server.closeAllConnections();
    await Promise.all(closed);
  };
  for (const host of [V4, V6]) {
    const server = createServer((request, response) => void callback.answer(request, response));
    const code = await listen(server, host, port);
    if (code === null) {
      servers.push(server);
      addresses.push(host === V6 ? `[${V6}]:${port}` : `${V4}:${port}`);
    } else if (host === V4 || code === 'EADDRINUSE') {
      await closeAll();
      return toNoListener(port, code);
    }
  }
  return { addresses, close: closeAll };
}

/** The system's code when it cannot listen, else null. */
function listen(server: Server, host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    server.once('error', (error) => resolve(findSystemCode(error) ?? 'unknown'));
    server.listen({ host, port, exclusive: true }, () => resolve(null));
  });
}

function toNoListener(port: number, code: string): NoListener {
  if (code === 'EADDRINUSE')
    return { problem: 'in_use', words: `Port ${port} is in use by another program on this machine.` };
  if (code === 'EACCES' || code === 'EPERM')
    return { problem: 'not_allowed', words: `Listening on port ${port} is not allowed on this machine.` };
  return { problem: 'failed', words: `Port ${port} cannot be listened on (${code}).` };
}

class Callback {
  readonly #options: CallbackListenerOptions;
  readonly #underWay = new Set<Promise<void>>();
  #isTaken = false;

  constructor(options: CallbackListenerOptions) {
    this.#options = options;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A browser that goes away in between changes nothing.
    response.on('error', () => undefined);
    const { offer, onRefused } = this.#options;
    const { path, port } = offer.callback;
    const target = URL.canParse(request.url ?? '', 'http://127.0.0.1') ? new URL(request.url ?? '', 'http://x') : null;
    if (!isOwnHost(request.headers.host, port)) return refuse(response, 421, 'This is not an address of this machine.');
    if (target === null || target.pathname !== path) return refuse(response, 404, 'There is nothing here.');
    if (request.method !== 'GET') return refuse(response, 405, 'Only a sign-in page leads here.');
    const recognized = recognizeAnswer(`http://127.0.0.1:${port}${path}${target.search}`, {
      ...offer,
      accepts: ['callback'],
    });
    if (recognized.kind !== 'callback') {
      const words = recognized.kind === 'problem' ? recognized.words : 'That is not an answer of the sign-in service.';
      onRefused?.(words);
      return refuse(response, 400, words);
    }
    if (this.#isTaken)
      return refuse(response, 409, 'This sign-in has been handed over already. You can close this tab.');
    this.#isTaken = true;
    const passing = this.#pass(recognized.text, response);
    this.#underWay.add(passing);
    await passing;
    this.#underWay.delete(passing);
  }

  /** No answer is being sent any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async #pass(address: string, response: ServerResponse): Promise<void> {
    const nonce = toNonce();
    response.writeHead(200, toHeaders(nonce));
    response.write(toFirstPart(nonce));
    const outcome = await this.#options.take(address);
    if (outcome.again === true) this.#isTaken = false;
    await new Promise<void>((resolve) => {
      response.once('close', resolve);
      response.end(toLastPart(nonce, outcome), resolve);
      if (response.destroyed) resolve();
    });
  }
}

/** A page that has a name of its own resolve to this machine names itself here. */
function isOwnHost(host: string | undefined, port: number): boolean {
  const suffix = port === 80 ? /(?::80)?$/ : new RegExp(`:${port}$`);
  return host !== undefined && suffix.test(host) && /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i.test(host);
}

function refuse(response: ServerResponse, status: number, words: string): void {
  const nonce = toNonce();
  response.writeHead(status, toHeaders(nonce));
  response.end(toWholePage(nonce, { isGood: false, title: 'Not this one', words }));
}

const toNonce = (): string => randomBytes(16).toString('base64url');
