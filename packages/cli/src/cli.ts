/** What every command is given: its environment, the person, and a client of the server that the flags name. */
import { createClient, type Client } from '@vestibule/protocol/client';
import type { CliConfig } from './config.ts';
import { FetchEventStream } from './event-stream.ts';
import type { Interrupts } from './interrupts.ts';
import type { Report } from './report.ts';
import { findServerAccess, type ServerAccess, type ServerFlags } from './server-access.ts';
import type { Terminal } from './terminal.ts';

export type Cli = {
  config: CliConfig;
  flags: ServerFlags;
  report: Report;
  terminal: Terminal;
  interrupts: Interrupts;
};

export type Connection = { server: string; client: Client };

/** Throws `CliError` when there is no token, or it must not be sent there. */
export function connectTo(cli: Cli): Connection {
  return toConnection(findServerAccess(cli.config, cli.flags));
}

export function toConnection({ server, token }: ServerAccess): Connection {
  const headers = { authorization: `Bearer ${token.reveal()}` };
  const openEvents = (url: string): FetchEventStream => new FetchEventStream(url, { headers });
  return { server, client: createClient({ baseUrl: server, headers, openEvents }) };
}
