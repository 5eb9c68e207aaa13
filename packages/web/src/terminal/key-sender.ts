/** Sends what is typed in order: one request at a time, and everything typed meanwhile in the next. */

export type KeySender = {
  send(keys: string): void;
  /** What is not sent yet is dropped. */
  stop(): void;
};

type KeySenderOptions = {
  post: (keys: string) => Promise<unknown>;
  /** The keys after the ones that failed are dropped: in another order they would mean something else. */
  onProblem: (error: unknown) => void;
  maxChars: number;
};

export function createKeySender({ post, onProblem, maxChars }: KeySenderOptions): KeySender {
  let waiting = '';
  let isSending = false;

  async function run(): Promise<void> {
    isSending = true;
    while (waiting !== '') {
      const keys = waiting.slice(0, maxChars);
      waiting = waiting.slice(maxChars);
      try {
        await post(keys);
      } catch (error) {
        waiting = '';
        onProblem(error);
      }
    }
    isSending = false;
  }

  return {
    send(keys) {
      waiting += keys;
      if (!isSending) void run();
    },
    stop() {
      waiting = '';
    },
  };
}
