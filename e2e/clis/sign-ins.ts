/** What the person does, by each way to sign in, from the open session page to the last click. Does not wait for the session's end. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Offer } from '@vestibule/protocol/offer';
import { IDENTITY_PROVIDER_LOOK, signInByHand } from '../support/live-view.ts';
import type { Decision } from './person-browser.ts';
import { ADA, ROOT, type TestBed } from './test-bed.ts';

const POLL_MS = 100;
const OFFER_WITHIN_MS = 60_000;

/** The session's offer, of its present way. */
export async function waitForOffer({ client }: TestBed, sessionId: string): Promise<Offer> {
  for (let waited = 0; waited < OFFER_WITHIN_MS; waited += POLL_MS) {
    const [session, found] = [await client.getSession(sessionId), await client.findOffer(sessionId)];
    if (found !== null && found.way === session.way && found.offer.mode === session.mode) return found.offer;
    if (session.errorMessage !== null) throw new Error(`${session.errorCode}: ${session.errorMessage}`);
    await sleep(POLL_MS);
  }
  throw new Error('nothing to sign in with was offered');
}

export function signInInLiveView({ page }: TestBed): Promise<void> {
  return signInByHand(page, IDENTITY_PROVIDER_LOOK, ADA);
}

/** The link is opened elsewhere; what that ends with is pasted into the page's box. */
export async function signInInOwnBrowser(bed: TestBed, sessionId: string, decision?: Decision): Promise<void> {
  const offer = await waitForOffer(bed, sessionId);
  if (offer.url === null) throw new Error('no link was offered');
  await bed.page.getByTestId('sign-in-link').first().waitFor();
  const given = await bed.browser.signIn(offer.url, ADA, decision);
  if (offer.accepts.length > 0) await paste(bed, given);
}

/** By the link that ends on a page with a code, where the CLI prints one. */
export async function signInWithCode(bed: TestBed, sessionId: string): Promise<void> {
  const offer = await waitForCodeLink(bed, sessionId);
  await paste(bed, await bed.browser.signIn(offer, ADA));
}

async function waitForCodeLink(bed: TestBed, sessionId: string): Promise<string> {
  for (let waited = 0; waited < OFFER_WITHIN_MS; waited += POLL_MS) {
    const { codeUrl } = await waitForOffer(bed, sessionId);
    if (codeUrl !== null) return codeUrl;
    await sleep(POLL_MS);
  }
  throw new Error('no link to a page with a code was offered');
}

async function paste({ page }: TestBed, text: string): Promise<void> {
  await page.locator('textarea').fill(text);
  await page.getByRole('button', { name: /^Give it to/ }).click();
}

export async function signInWithDeviceCode(bed: TestBed, sessionId: string, decision?: Decision): Promise<void> {
  const offer = await waitForOffer(bed, sessionId);
  const code = await bed.page.getByTestId('device-code').innerText();
  if (offer.url === null || code !== offer.deviceCode) throw new Error('the page shows another code than is offered');
  await bed.browser.enterCode(offer.url, code, ADA, decision);
}

export async function giveToken(bed: TestBed, kindName: string, token: string): Promise<void> {
  const { page } = bed;
  const kind = page.getByRole('radio', { name: kindName });
  const field = page.locator('input.masked');
  await field.waitFor();
  if ((await kind.count()) > 0) await kind.check({ force: true });
  await field.fill(token);
  await page.getByRole('button', { name: /^Give it to/ }).click();
}

/** `vestibule connect`: listens on the CLI's port itself; the browser on the same machine comes back to it. Returns the session's id. */
export async function connectFromTerminal(bed: TestBed, provider: string, userId: string): Promise<string> {
  const args = ['connect', provider, '--user', userId, '--mode', 'own_browser', '--no-open', '--json'];
  const child = spawn(process.execPath, [join(ROOT, 'packages/cli/bin/vestibule.mjs'), ...args], {
    env: { ...process.env, VESTIBULE_SERVER: bed.server.origin, VESTIBULE_TOKEN: bed.server.token },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let told = '';
  child.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()));
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  let sessionId = '';
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => (told += `${line}\n`));
  for await (const line of lines) {
    const fact = JSON.parse(line) as { type: string; url?: string; link?: string; session?: { sessionId: string } };
    sessionId = fact.session?.sessionId ?? sessionId;
    if (fact.type === 'not_listening') throw new Error(`the command could not listen: ${told}`);
    const link = fact.type === 'link' ? (fact.url ?? fact.link) : undefined;
    if (link !== undefined) void bed.browser.signIn(link, ADA).catch((error: unknown) => (told += String(error)));
  }
  const code = await exited;
  if (code !== 0) throw new Error(`vestibule connect ended with ${code}:\n${told}`);
  return sessionId;
}
