/** A test fixture: a plain TLS proxy such as nginx, which ends HTTPS and passes everything on, upgrades included. */
import { once } from 'node:events';
import { request } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { createCertificate } from './testing-certificate.ts';

export class TestingTlsProxy {
  /** PEM, to be trusted by clients of the proxy. */
  readonly cert: string;
  readonly #server: Server;
  #backendPort = 0;

  private constructor(cert: string, server: Server) {
    this.cert = cert;
    this.#server = server;
    server.on('request', (incoming, outgoing) => {
      const forwarded = this.#forward(incoming);
      forwarded.on('response', (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      forwarded.on('error', () => outgoing.destroy());
      outgoing.on('close', () => forwarded.destroy());
      incoming.pipe(forwarded);
    });
    server.on('upgrade', (incoming: IncomingMessage, client: Duplex) => {
      const forwarded = this.#forward(incoming);
      forwarded.on('response', (answer) => {
        client.write(toHead(answer));
        answer.pipe(client);
      });
      forwarded.on('upgrade', (answer, backend) => {
        client.write(toHead(answer));
        backend.pipe(client).pipe(backend);
        for (const [end, other] of [
          [client, backend],
          [backend, client],
        ] as const)
          end.on('error', () => other.destroy()).on('close', () => other.destroy());
      });
      forwarded.end();
    });
  }

  /** Listens on a free port; tell it where to with `passTo` before it is used. */
  static async start(): Promise<TestingTlsProxy> {
    const { key, cert } = createCertificate();
    const server = createServer({ key, cert }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TestingTlsProxy(cert, server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `https://localhost:${this.port}`;
  }

  passTo(port: number): void {
    this.#backendPort = port;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #forward({ method, url, headers, socket }: IncomingMessage): ClientRequest {
    const forwardedFor = [headers['x-forwarded-for'], socket.remoteAddress]
      .filter((one) => one !== undefined)
      .join(', ');
    return request({
      host: '127.0.0.1',
      port: this.#backendPort,
      method,
      path: url,
      headers: { ...headers, 'x-forwarded-for': forwardedFor },
      agent: false,
    });
  }
}

function toHead({ statusCode, statusMessage, rawHeaders }: IncomingMessage): string {
  const lines: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2)
    lines.push(`${rawHeaders[index]}: ${rawHeaders[index + 1]}`);
  return `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.join('\r\n')}\r\n\r\n`;
}
