import { expect, test } from 'vitest';
import { createKeySender } from './key-sender.ts';

/** Posts that end when the test says so. */
function createPosts() {
  const posted: string[] = [];
  const problems: unknown[] = [];
  let settle: { resolve: () => void; reject: (error: Error) => void } | null = null;
  const sender = createKeySender({
    post: (keys) => {
      posted.push(keys);
      return new Promise<void>((resolve, reject) => (settle = { resolve, reject }));
    },
    onProblem: (error) => problems.push(error),
    maxChars: 4,
  });
  const next = async (end: 'resolve' | 'reject'): Promise<void> => {
    settle?.[end](new Error('away'));
    await new Promise(setImmediate);
  };
  return { sender, posted, problems, next };
}

test('what is typed while a request is under way goes together, in order, with the next one', async () => {
  const { sender, posted, next } = createPosts();
  for (const key of ['y', 'e', 's', '\r']) sender.send(key);
  expect(posted).toEqual(['y']);
  await next('resolve');
  expect(posted).toEqual(['y', 'es\r']);
});

test('a long text goes in pieces that the server takes', async () => {
  const { sender, posted, next } = createPosts();
  sender.send('abcdefg');
  await next('resolve');
  expect(posted).toEqual(['abcd', 'efg']);
});

test('after a request that failed nothing that was typed behind it is sent, and later keys are', async () => {
  const { sender, posted, problems, next } = createPosts();
  sender.send('a');
  sender.send('b');
  await next('reject');
  expect(problems).toHaveLength(1);
  expect(posted).toEqual(['a']);
  sender.send('c');
  expect(posted).toEqual(['a', 'c']);
});
