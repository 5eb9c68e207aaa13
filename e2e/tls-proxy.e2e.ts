/** Behind a TLS proxy, at an https address: a real browser sees a sign-in through to its end, and a neighbour's page gets nowhere. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test, type Page } from '@playwright/test';
import { ROUTES } from '@vestibule/protocol/routes';
import { TestingTlsProxy } from '../packages/controller/src/http/testing-tls-proxy.ts';
import { canvasOf, waitForLiveView } from './support/live-view.ts';
import { connectProvider, expectConnected } from './support/sign-in-pages.ts';
import { startVestibule, type VestibuleServer } from './support/vestibule-server.ts';

test.use({ ignoreHTTPSErrors: true });

let proxy: TestingTlsProxy;
let server: VestibuleServer;
test.beforeAll(async () => {
  proxy = await TestingTlsProxy.start();
  server = await startVestibule({
    args: ['--demo'],
    env: { VESTIBULE_RUNTIME: 'fake', VESTIBULE_PUBLIC_URL: proxy.origin },
  });
  // The address it prints is the public one; the port behind it is in its log.
  proxy.passTo(Number(/listening at http:\/\/127\.0\.0\.1:(\d+)/.exec(server.output())?.[1]));
});
test.afterAll(async () => {
  await server.remove();
  proxy.close();
});

/** Another service of the same machine: browsers send it, and send from it, every cookie of `localhost`, SameSite=Strict or not. */
class Neighbour {
  readonly #pages: Server;
  readonly #proxy: TestingTlsProxy;

  private constructor(pages: Server, proxy: TestingTlsProxy) {
    this.#pages = pages;
    this.#proxy = proxy;
  }

  static async start(): Promise<Neighbour> {
    const pages = createServer((_request, response) => response.setHeader('content-type', 'text/html').end('<p>hi'));
    await once(pages.listen(0, '127.0.0.1'), 'listening');
    const proxy = await TestingTlsProxy.start();
    proxy.passTo((pages.address() as AddressInfo).port);
    return new Neighbour(pages, proxy);
  }

  get origin(): string {
    return this.#proxy.origin;
  }

  close(): void {
    this.#proxy.close();
    this.#pages.close();
  }
}

/** Opens a WebSocket from the page; resolves with what came first. */
function openSocket(page: Page, url: string): Promise<string> {
  return page.evaluate<string>(`new Promise((resolve) => {
    const socket = new WebSocket(${JSON.stringify(url)}, ['binary']);
    for (const type of ['open', 'error']) socket.addEventListener(type, () => resolve(type));
  })`);
}

test('a person signs in at the https address; nothing leaves it, and the cookie is Secure', async ({ page }) => {
  const opened: string[] = [];
  page.on('request', (request) => opened.push(request.url()));
  page.on('websocket', (socket) => opened.push(socket.url()));
  expect(new URL(server.signInLink).origin).toBe(proxy.origin);
  const sessionId = await connectProvider(page, server, 'Demo');
  await waitForLiveView(page);
  await canvasOf(page).click();
  await expectConnected(page);

  const sockets = opened.filter((url) => url.startsWith('ws'));
  expect(sockets).toHaveLength(1);
  expect(sockets[0]).toMatch(`wss://localhost:${proxy.port}/v1/live-view?ticket=`);
  expect(opened).toContain(proxy.origin + ROUTES.events(sessionId));
  expect([...new Set(opened.map((url) => new URL(url).host))]).toEqual([`localhost:${proxy.port}`]);
  expect(opened.filter((url) => !/^(?:https|wss):/.test(url))).toEqual([]);
  const [cookie, ...others] = await page.context().cookies();
  expect(others).toEqual([]);
  expect(cookie).toMatchObject({ secure: true, httpOnly: true, sameSite: 'Strict', path: '/' });
});

test('attack: a page of the same machine, with the cookie and a ticket, cancels no sign-in and opens no live view', async ({
  page,
  context,
}) => {
  const sessionId = await connectProvider(page, server, 'Demo', 'victim');
  await waitForLiveView(page);
  const issued = await context.request.post(proxy.origin + ROUTES.liveViewTickets(sessionId), {
    data: {},
    headers: { origin: proxy.origin },
  });
  const { ticket } = (await issued.json()) as { ticket: string };
  const socketUrl = proxy.origin.replace('https', 'wss') + ROUTES.liveView(ticket);

  const neighbour = await Neighbour.start();
  try {
    const foreign = await context.newPage();
    await foreign.goto(neighbour.origin);
    expect(await openSocket(foreign, socketUrl)).toBe('error');
    expect(await openSocket(page, socketUrl), 'its own page may use that very ticket').toBe('open');

    const cancelUrl = proxy.origin + ROUTES.cancel(sessionId);
    const answered = foreign.waitForResponse(cancelUrl);
    await foreign.evaluate(
      `document.body.innerHTML = '<form method="post" action="${cancelUrl}">'; document.forms[0].submit()`,
    );
    const answer = await answered;
    expect(await answer.request().headerValue('cookie')).toContain('vestibule_operator=');
    expect(answer.status()).toBe(403);
  } finally {
    neighbour.close();
  }
  await canvasOf(page).click();
  await expectConnected(page);
});

test('attack: a request that names another host is refused, cookie or not', async ({ page, context }) => {
  await page.goto(server.signInLink);
  await expect(page.getByRole('heading', { name: 'Connect your command-line tools' })).toBeVisible();
  const ask = (headers: Record<string, string>) => context.request.get(proxy.origin + ROUTES.providers, { headers });
  expect((await ask({})).status()).toBe(200);
  for (const host of ['evil.example', `evil.example:${proxy.port}`, `localhost.evil.example:${proxy.port}`]) {
    const refused = await ask({ host });
    expect(refused.status()).toBe(403);
    expect(await refused.json()).toMatchObject({ code: 'forbidden_origin' });
  }
});
