import { expect, test, vi } from 'vitest';
import { Secret } from '@vestibule/protocol/secret';
import { trySignIn } from './commands/try-file.ts';
import { createTestCli, TEST_TOKEN } from './testing-cli.ts';
import { startTestVestibule, TEST_SESSION, toTestOffer } from './testing-vestibule.ts';

test('a trial that fails tells what was seen, and what the program wrote, made harmless', async () => {
  const output = 'Open \u001B[1mhttps://else.test/authorize?a=b\u001B[0m\r\n\u001B]0;title\u0007waiting';
  const server = await startTestVestibule({ output });
  const { cli, text, close } = createTestCli(server.origin, false);
  const access = { server: server.origin, token: new Secret(TEST_TOKEN) };
  const ended = trySignIn(cli, access, 'tool', { open: false, runtime: 'fake' });
  server.offer(toTestOffer({ mode: 'vm_browser', url: 'https://x' }));
  await vi.waitFor(() => expect(text()).toContain('in the live view'), 10_000);
  server.push({ status: 'failed', errorCode: 'cli_no_url', errorMessage: 'No page.' }, 'url_opened', 'session_failed');
  expect(await ended).toBe('failed');
  expect(text()).toContain(`${server.origin}/sessions/${TEST_SESSION.sessionId}#token=${TEST_TOKEN}`);
  expect(text()).toContain("A link that matches was found: https://x (found in the program's output)");
  expect(text()).toContain('It ended as failed (cli_no_url): No page.');
  expect(text()).toMatch(/login\.url\.pattern matches none of them.*\n {2}https:\/\/else\.test\/authorize\?a=b\n/);
  expect(text()).toContain('  | Open https://else.test/authorize?a=b\n  | waiting');
  close();
  await server.close();
});
