/**
 * The sign-in of a CLI that speaks JSON-RPC 2.0 over its input and output, one message a line: the definition's requests in order, each
 * after the result of the one before. What the CLI asks of us is declined, so that it does not wait.
 */
import type { LoginPlan } from '@vestibule/protocol/agent-messages';

export type RpcDialogue = {
  start: () => void;
  /** A whole line of the CLI's standard output; one that is no message is ignored. */
  onLine: (line: string) => void;
};

export type RpcDialogueOptions = {
  requests: LoginPlan['login']['rpc'];
  send: (line: string) => void;
  /** The last request was answered with a result. */
  onDone: () => void;
  /** A request was answered with an error: all the words in it. */
  onError: (words: string) => void;
};

type Message = { id?: unknown; method?: unknown; result?: unknown; error?: unknown };

const METHOD_NOT_FOUND = { code: -32601, message: 'Method not found' };
const MAX_ERROR_CHARS = 2000;

export function createRpcDialogue({ requests, send, onDone, onError }: RpcDialogueOptions): RpcDialogue {
  /** Requests are numbered from 1. */
  let asked = 0;
  let isOver = false;

  const write = (message: object): void => send(JSON.stringify({ jsonrpc: '2.0', ...message }));
  const ask = (): void => {
    const request = requests[asked];
    if (request === undefined) {
      isOver = true;
      return onDone();
    }
    asked += 1;
    write({ id: asked, method: request.method, ...(request.params !== undefined && { params: request.params }) });
  };
  return {
    start: ask,
    onLine(line) {
      const message = parse(line);
      if (message === null || isOver) return;
      if (typeof message.method === 'string') {
        if (message.id !== undefined && message.id !== null) write({ id: message.id, error: METHOD_NOT_FOUND });
        return;
      }
      if (message.id !== asked) return;
      if (message.error === undefined || message.error === null) return ask();
      isOver = true;
      onError(`${requests[asked - 1]?.method ?? ''}: ${toWords(message.error).join(': ')}`.slice(0, MAX_ERROR_CHARS));
    },
  };
}

function parse(line: string): Message | null {
  try {
    const message: unknown = JSON.parse(line);
    return typeof message === 'object' && message !== null && !Array.isArray(message) ? message : null;
  } catch {
    return null;
  }
}

/** Every text and number in it, outermost first. */
function toWords(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number') return [String(value)];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(toWords);
}
