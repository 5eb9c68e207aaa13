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

/** Tells where to sign in, and opens it when that is wanted. Does not wait for the browser. */
export function showLink({ report, openBrowser }: WayContext, link: string): void {
  const lead =
    openBrowser === null
      ? 'Open this link in your browser:'
      : 'Opening your browser. If it does not show the sign-in, open this link in it:';
  report.tell({ type: 'link', url: link }, `${lead}\n\n  ${link}\n`);
  if (openBrowser === null) return;
  const tell = (opened: boolean): void =>
    report.tell(
      { type: 'browser', opened },
      opened ? null : 'No browser could be started here: open the link yourself.',
    );
  openBrowser(link).then(tell, () => tell(false));
}
