import { expect, test } from 'vitest';
import { createClient } from '@vestibule/protocol/client';
import { AppError, ERRORS, type ErrorCode } from '@vestibule/protocol/errors';
import { EXIT_CODES, toCliError } from './cli-error.ts';
import { close, findFreePort, serve } from './testing-server.ts';

const SERVER = 'http://127.0.0.1:7080';

async function ask(server: string): Promise<ReturnType<typeof toCliError>> {
  const error: unknown = await createClient({ baseUrl: server })
    .listProviders()
    .catch((thrown: unknown) => thrown);
  return toCliError(error, server);
}

test('a server that is not there is told with its address and what to check', async () => {
  const server = `http://127.0.0.1:${await findFreePort()}`;
  const { exit, message } = await ask(server);
  expect(exit).toBe('unreachable');
  expect(message).toContain(`${server} does not answer (nothing listens there).`);
});

test('something else that answers at the address is told as that', async () => {
  const other = await serve((_request, response) => void response.writeHead(200).end('<html>'));
  const missing = await serve((_request, response) => void response.writeHead(404).end('<html>'));
  expect((await ask(other.origin)).message).toMatch(/not this version of Vestibule/);
  expect((await ask(missing.origin)).exit).toBe('unreachable');
  await close(other);
  await close(missing);
});

test('every problem of the API has words and an exit code other than 0', () => {
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    const { exit, message } = toCliError(new AppError(code), SERVER);
    expect([code, EXIT_CODES[exit] > 0, message.length > 5]).toEqual([code, true, true]);
  }
});

test('a refused token says where the right one is', () => {
  const { exit, message } = toCliError(new AppError('unauthenticated'), SERVER);
  expect(exit).toBe('token_refused');
  expect(message).toMatch(/--token-file/);
});
