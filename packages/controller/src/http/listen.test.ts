import { expect, it } from 'vitest';
import { ListenError, listen } from './listen.ts';
import { findPortHolder } from './port-holder.ts';
import { createHttpServer } from './server.ts';
import { TestingServer } from './testing-server.ts';

async function findFailure(address: { host: string; port: number }): Promise<ListenError> {
  const other = await TestingServer.start();
  const { ports, metrics, token } = other;
  const config = { host: address.host, publicUrl: null, peerUrl: null };
  const api = await createHttpServer({
    config,
    operatorToken: token,
    ports,
    logger: other.api.log,
    metrics,
    pageDir: null,
    version: '1',
  });
  try {
    await listen(api, address);
  } catch (error) {
    if (error instanceof ListenError) return error;
    throw error;
  } finally {
    await api.close();
    await other.close();
  }
  throw new Error('it listened');
}

it('says that a port is in use, and what to do', async () => {
  const holder = await TestingServer.start();
  const error = await findFailure({ host: '127.0.0.1', port: holder.port });
  await holder.close();
  expect(error.kind).toBe('port_in_use');
  expect(error.message).toContain(`Port ${holder.port} on 127.0.0.1 is already used by`);
  expect(error.message).toContain(`VESTIBULE_PORT=${holder.port + 1}`);
});

it.runIf(process.platform === 'linux')('knows the process that listens on a port', async () => {
  const holder = await TestingServer.start();
  const found = await findPortHolder(holder.port);
  await holder.close();
  expect(found?.pid).toBe(process.pid);
});

it('says that an address is not of this machine', async () => {
  const error = await findFailure({ host: '192.0.2.1', port: 0 });
  expect(error.kind).toBe('address_unknown');
  expect(error.message).toContain('VESTIBULE_HOST');
});

it('finds nobody on a port that is free', async () => {
  const server = await TestingServer.start();
  await server.close();
  expect(await findPortHolder(server.port)).toBeNull();
});
