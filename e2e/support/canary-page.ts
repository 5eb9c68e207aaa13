/** Records what a page of ours received and what it shows: answers, pushed events, its text, its console, its address and history. */
import type { Page, Response } from '@playwright/test';
import type { Place } from './canary-search.ts';

const ID = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g;

/** Event streams are recorded message by message. */
function hasBody(response: Response): boolean {
  return response.status() !== 204 && !response.headers()['content-type']?.startsWith('text/event-stream');
}

async function toPlaces(response: Response): Promise<Place[]> {
  const answer = `${response.request().method()} ${new URL(response.url()).pathname.replaceAll(ID, '{id}')}`;
  const headers = await response.headersArray();
  const places = headers.map(({ name, value }): Place => ({
    kind: 'answer',
    name: `${answer}: ${name.toLowerCase()}`,
    content: value,
  }));
  if (hasBody(response)) places.push({ kind: 'answer', name: `${answer}: body`, content: await response.body() });
  return places;
}

export type PageRecord = {
  /** The tickets it opened live views with. */
  tickets: string[];
  places(): Promise<Place[]>;
};

/** From here on. The page must not have been used before. */
export async function recordPage(page: Page): Promise<PageRecord> {
  const answers: Promise<Place[]>[] = [];
  const told: Place[] = [];
  const tickets: string[] = [];
  page.on('response', (response) => answers.push(toPlaces(response)));
  page.on('console', (message) => told.push({ kind: 'page', name: 'console', content: message.text() }));
  page.on('websocket', (socket) => tickets.push(new URL(socket.url()).searchParams.get('ticket') ?? ''));
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Network.enable');
  devtools.on('Network.eventSourceMessageReceived', (message) =>
    told.push({ kind: 'event', name: 'of the page', content: JSON.stringify(message) }),
  );
  return {
    tickets,
    async places() {
      const { entries } = await devtools.send('Page.getNavigationHistory');
      return [
        ...(await Promise.all(answers)).flat(),
        ...told,
        { kind: 'page', name: 'document', content: await page.content() },
        { kind: 'page', name: 'text', content: await page.locator('body').innerText() },
        { kind: 'page', name: 'address', content: page.url() },
        { kind: 'page', name: 'history', content: entries.map(({ url, title }) => `${url} ${title}`).join('\n') },
      ];
    },
  };
}
