import { expect, test } from 'vitest';
import type { AnswerBody, Session } from '@vestibule/protocol/api';
import { AppError } from '@vestibule/protocol/errors';
import type { Offer } from '@vestibule/protocol/offer';
import { createReport } from './report.ts';
import { TypedAnswers, type Wanted } from './typed-answers.ts';

const OFFER: Offer = {
  mode: 'own_browser',
  url: 'https://sign-in.example.test/?state=s-1',
  codeUrl: null,
  callback: { port: 1455, path: '/callback' },
  accepts: ['callback', 'code'],
  deviceCode: null,
  validForMs: null,
};

/** What is given to the server, and what the person is told, when these lines are typed. */
async function type(
  lines: string[],
  wanted: Wanted,
  refuse?: AppError,
): Promise<{ given: AnswerBody[]; told: string }> {
  const given: AnswerBody[] = [];
  let told = '';
  const out = { write: (text: string) => void (told += text) };
  const rest = [...lines];
  let atEnd: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (atEnd = resolve));
  const answers = new TypedAnswers({
    sessionId: 'x',
    report: createReport(false, { stdout: out, stderr: out }),
    client: {
      answer: async (_sessionId, body) => {
        given.push(body);
        if (refuse !== undefined) throw refuse;
        return {} as Session;
      },
    },
    terminal: {
      isInteractive: false,
      readLine: async () => {
        const line = rest.shift() ?? null;
        if (line === null) atEnd();
        return line;
      },
    },
  });
  await answers.want(wanted);
  await ended;
  await answers.stop();
  return { given, told };
}

test('a pasted address or code is recognised, and one of another sign-in is refused here', async () => {
  const { given, told } = await type(
    ['http://localhost:1455/callback?code=c&state=s-2', '', 'localhost:1455/callback?code=c&state=s-1', 'c#s-1'],
    { prompt: null, offer: OFFER },
  );
  expect(given).toEqual([
    { kind: 'callback', text: 'http://127.0.0.1:1455/callback?code=c&state=s-1' },
    { kind: 'code', text: 'c#s-1' },
  ]);
  expect(told).toMatch(/another sign-in/);
});

test('while the program asks something, a line is the answer to that; Enter alone takes what it proposes', async () => {
  const { given } = await type(['y', ''], { prompt: 'Continue? [Y/n]', offer: OFFER });
  expect(given).toEqual([
    { kind: 'line', text: 'y' },
    { kind: 'keys', text: '\r' },
  ]);
});

test('an answer that the server refuses is told in its words, and the next one is read', async () => {
  const { given, told } = await type(
    ['a', 'b'],
    { prompt: null, offer: OFFER },
    new AppError('answer_refused', 'Not so.'),
  );
  expect(given).toHaveLength(2);
  expect(told).toContain('Not so.');
});

test('nothing is read while nothing is wanted', async () => {
  const answers = new TypedAnswers({
    sessionId: 'x',
    report: createReport(false, { stdout: process.stdout, stderr: process.stderr }),
    client: { answer: () => Promise.reject(new Error('asked')) },
    terminal: { isInteractive: true, readLine: () => Promise.reject(new Error('read')) },
  });
  await expect(answers.want({ prompt: null, offer: null })).resolves.toBeUndefined();
});
