/**
 * An open page: follows one session's events at any controller, comes back at another with `Last-Event-ID` when the connection ends, and
 * now and then for no reason. Notes when an event was missed or told twice, or when an outcome it was told changed.
 */
import { get, type IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { sessionPushSchema } from '@vestibule/protocol/api';
import { ROUTES } from '@vestibule/protocol/routes';
import type { Controller } from './controllers.ts';
import type { Journal } from './journal.ts';
import { PageRecord } from './page-record.ts';
import type { Randomness } from './randomness.ts';

const COME_BACK_MS = 150;

export type PageFollowerOptions = {
  controllers: readonly [Controller, ...Controller[]];
  /** Every controller knows a session, whoever runs its VM. */
  token: string;
  journal: Journal;
  random: Randomness;
  signal: AbortSignal;
};

/** Resolves when nothing more can happen, or the run is over. */
export async function followPage(options: PageFollowerOptions, sessionId: string): Promise<void> {
  const { controllers, journal, random, signal } = options;
  const record = new PageRecord((problem, detail) => journal.note({ type: 'page_saw', sessionId, problem, detail }));
  while (!record.isOver && !signal.aborted) {
    const { origin } = random.pick(controllers);
    if (origin !== null) await read(options, `${origin}${ROUTES.events(sessionId)}`, record).catch(() => undefined);
    await delay(COME_BACK_MS);
  }
  if (record.outcome !== null) journal.note({ type: 'ended_seen', sessionId, status: record.outcome, by: 'a page' });
}

async function read({ token, random, signal }: PageFollowerOptions, url: string, record: PageRecord): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, 'last-event-id': String(record.seq) };
  const leave = AbortSignal.any([signal, AbortSignal.timeout(random.between(1_000, 12_000))]);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { headers, agent: false, signal: leave }, resolve).once('error', reject);
  });
  if (response.statusCode !== 200) return void response.destroy();
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) {
    const blocks = (text + String(chunk)).split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) take(block, record);
  }
}

function take(block: string, record: PageRecord): void {
  if (/^event: end$/m.test(block)) record.end();
  const data = /^event: session\ndata: (.+)$/m.exec(block)?.[1];
  if (data !== undefined) record.take(sessionPushSchema.parse(JSON.parse(data)));
}
