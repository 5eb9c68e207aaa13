/** A relay before a test database that loses the connection at COMMIT, before the server hears of it or before we hear the answer. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SocketConfig } from './connection-config.ts';

export type LostAt = 'before_commit' | 'after_commit';

function toSocketPath(config: Pick<SocketConfig, 'host' | 'port'>): string {
  return join(config.host, `.s.PGSQL.${config.port}`);
}

function relay(client: Socket, target: SocketConfig, lostAt: LostAt): void {
  const server = connect(toSocketPath(target));
  let isCommitting = false;
  const lose = (): void => {
    client.destroy();
    server.destroy();
  };
  for (const socket of [client, server]) socket.on('error', lose).on('close', lose);
  client.on('data', (chunk) => {
    isCommitting ||= chunk.includes('commit');
    if (isCommitting && lostAt === 'before_commit') lose();
    else server.write(chunk);
  });
  // The server's first word after COMMIT says that it is done.
  server.on('data', (chunk) => {
    if (isCommitting) lose();
    else client.write(chunk);
  });
}

/** @returns the configuration to connect with instead of `target`, and what ends the relay */
export async function startLossyProxy(
  target: SocketConfig,
  lostAt: LostAt,
): Promise<{ config: SocketConfig; stop(): Promise<void> }> {
  const host = await mkdtemp(join(tmpdir(), 'vestibule-test-'));
  const config = { ...target, host };
  const listener: Server = createServer((client) => relay(client, target, lostAt));
  listener.listen(toSocketPath(config));
  await once(listener, 'listening');
  return {
    config,
    async stop() {
      listener.close();
      await once(listener, 'close');
      await rm(host, { recursive: true });
    },
  };
}
