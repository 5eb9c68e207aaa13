/** What each way to sign in is given, and what it leaves running until the way or the session ends. */
import type { Provider, Session } from '@vestibule/protocol/api';
import type { Client } from '@vestibule/protocol/client';
import type { OpenBrowser } from '../browser-opener.ts';
import type { Report } from '../report.ts';
import type { Terminal } from '../terminal.ts';

export type WayContext = {
  client: Client;
  server: string;
  sessionId: string;
  toPage: (sessionId: string) => string;
  /** Null when the server does not list it. */
  provider: Provider | null;
  report: Report;
  terminal: Terminal;
  /** Null: links are only printed. */
  openBrowser: OpenBrowser | null;
  /** Which of the provider's tokens is given; null: asked. */
  tokenKind: string | null;
  /** Resolves when the session has ended. */
  ended: Promise<Session>;
};

export type RunningWay = {
  /** Whether what the person types is what the sign-in gave them. */
  takesPaste: boolean;
  /** Whether it is asking something itself. */
  holdsTerminal(): boolean;
  stop(): Promise<void>;
};

/** Tells where to sign in, and opens it when that is possible and wanted. */
export async function showLink({ report, openBrowser }: WayContext, link: string): Promise<void> {
  const isOpened = openBrowser !== null && (await openBrowser(link));
  const lead = isOpened
    ? 'Your browser was opened. If it does not show the sign-in, open this link in it:'
    : openBrowser === null
      ? 'Open this link in your browser:'
      : 'No browser could be opened here. Open this link in one on this machine:';
  report.tell({ type: 'link', url: link, opened: isOpened }, `${lead}\n\n  ${link}\n`);
}
