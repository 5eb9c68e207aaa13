/**
 * The browser on the person's own computer, as far as this machine can have one: a Chromium of its own, for which every name leads to the
 * test's world and `localhost` is not the VM's. The person signs in by hand, page after page.
 */
import { chromium, type Browser, type Page } from '@playwright/test';
import type { World } from '../support/world.ts';

export type Person = { user: string; password: string };
export type Decision = 'allow' | 'deny';

export type PersonBrowser = {
  /** Signs in at the link; returns the address or the code that the person is left with. */
  signIn(link: string, person: Person, decision?: Decision): Promise<string>;
  /** Types the code into the page that asks for it, and signs in. */
  enterCode(link: string, code: string, person: Person, decision?: Decision): Promise<void>;
  close(): Promise<void>;
};

const PAGE_TIMEOUT_MS = 30_000;
const MAX_TRIES = 4;
const NETWORK_CHANGED = 'net::ERR_NETWORK_CHANGED';
const LOOPBACK = /^http:\/\/(?:localhost|127\.0\.0\.1)[:/]/;

export async function startPersonBrowser(world: World): Promise<PersonBrowser> {
  const browser = await chromium.launch({
    executablePath: process.env['E2E_BROWSER'] ?? '/usr/bin/chromium',
    args: [`--host-resolver-rules=MAP * ${world.address}, EXCLUDE localhost, EXCLUDE 127.0.0.1`],
  });
  return {
    signIn: (link, person, decision = 'allow') =>
      withPage(browser, async (page, visited) => {
        await page.goto(link);
        await signInAt(page, person, decision);
        const code = page.getByTestId('code');
        const end = page.getByRole('heading', { name: 'You may close this page' });
        const shown = code.or(end).waitFor();
        const left = await Promise.race([shown.then(() => null), visited(LOOPBACK)]);
        // Whoever listens there answers, or nobody does.
        if (left !== null) await page.waitForLoadState().catch(() => undefined);
        if (left !== null) return left;
        return (await code.isVisible()) ? code.innerText() : page.url();
      }),
    enterCode: (link, code, person, decision = 'allow') =>
      withPage(browser, async (page) => {
        await page.goto(link);
        await page.getByLabel('Code').fill(code);
        await page.getByRole('button', { name: 'Go on' }).click();
        await signInAt(page, person, decision);
        await page.getByRole('heading', { name: 'You may close this page' }).waitFor();
      }),
    close: () => browser.close(),
  };
}

type Visited = (address: RegExp) => Promise<string>;

type Act<T> = (page: Page, visited: Visited) => Promise<T>;

/** A browser gives up its requests when a network comes or goes on its machine, and VMs have networks on this one: one begins again. */
async function withPage<T>(browser: Browser, act: Act<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await actOnce(browser, act);
    } catch (error) {
      if (tries === MAX_TRIES || !String(error).includes(NETWORK_CHANGED)) throw error;
    }
  }
}

async function actOnce<T>(browser: Browser, act: Act<T>): Promise<T> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(PAGE_TIMEOUT_MS);
    const addresses: string[] = [];
    const interrupted = new Promise<never>((_, reject) => {
      page.on('requestfailed', (request) => {
        if (request.isNavigationRequest() && request.failure()?.errorText === NETWORK_CHANGED)
          reject(new Error(NETWORK_CHANGED));
      });
    });
    page.on('request', (request) => {
      if (request.isNavigationRequest()) addresses.push(request.url());
    });
    const visited: Visited = async (address) => {
      const found = addresses.find((one) => address.test(one));
      if (found !== undefined) return found;
      return (
        await page.waitForRequest((request) => request.isNavigationRequest() && address.test(request.url()))
      ).url();
    };
    return await Promise.race([act(page, visited), interrupted]);
  } finally {
    await context.close();
  }
}

async function signInAt(page: Page, { user, password }: Person, decision: Decision): Promise<void> {
  await page.getByLabel('User name').fill(user);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: decision === 'allow' ? 'Allow' : 'Deny', exact: true }).click();
}
