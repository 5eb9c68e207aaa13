/** The program's terminal beside a running sign-in: only to be read, until the person takes over its keyboard. */
import { MAX_ANSWER_CHARS } from '@vestibule/protocol/agent-messages';
import { useEffect, useRef, useState } from 'react';
import { client } from '../api-client.ts';
import { Button } from '../ui/button.tsx';
import { CrossIcon } from '../ui/icons.tsx';
import { Notice } from '../ui/notice.tsx';
import { toProblemWords } from '../ui/problem-words.ts';
import { createKeySender, type KeySender } from './key-sender.ts';
import { TerminalScreen } from './terminal-screen.tsx';

type TerminalPanelProps = {
  sessionId: string;
  providerName: string;
  /** The program's question that nobody has answered yet. */
  prompt: string | null;
  onClose: () => void;
};

function useKeySender(sessionId: string, onProblem: (error: unknown) => void): (keys: string) => void {
  const sender = useRef<KeySender>(null);
  useEffect(() => {
    const post = (text: string) => client.answer(sessionId, { kind: 'keys', text });
    const made = createKeySender({ post, onProblem, maxChars: MAX_ANSWER_CHARS });
    sender.current = made;
    return () => made.stop();
  }, [sessionId, onProblem]);
  return (keys) => sender.current?.send(keys);
}

function PromptNotice({ prompt, providerName }: { prompt: string; providerName: string }) {
  return (
    <div role="status" className="px-3 pt-3 sm:px-4">
      <Notice tone="warn">
        <p className="font-semibold">{providerName} asks something that this page does not know.</p>
        <p className="mt-1">
          <q className="font-mono break-words" data-testid="prompt">
            {prompt}
          </q>{' '}
          Nothing answers it but you: take over the keyboard, type the answer, and press Enter.
        </p>
      </Notice>
    </div>
  );
}

export function TerminalPanel({ sessionId, providerName, prompt, onClose }: TerminalPanelProps) {
  const [isTaken, setTaken] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const takeButton = useRef<HTMLButtonElement>(null);
  const send = useKeySender(sessionId, setProblem);
  const giveBack = (): void => {
    setTaken(false);
    takeButton.current?.focus();
  };
  const change = (): void => {
    setProblem(null);
    setTaken((taken) => !taken);
  };
  return (
    <section
      aria-label="Terminal"
      className="flex h-[55%] min-h-64 shrink-0 flex-col border-t border-line bg-surface sm:h-[45%]"
    >
      {prompt === null ? null : <PromptNotice prompt={prompt} providerName={providerName} />}
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2 px-3 py-2 sm:px-4">
        <p className="min-w-0 flex-1 basis-56 text-sm text-muted" role="status">
          {isTaken
            ? `You have the keyboard: every key goes to ${providerName} itself. Ctrl+Alt+Enter gives it back.`
            : `What ${providerName} prints. Only to be read, until you take over its keyboard: what you then type goes to the program itself and cannot be taken back.`}
        </p>
        <div className="flex items-center gap-1">
          <Button ref={takeButton} variant={prompt !== null && !isTaken ? 'primary' : 'secondary'} onClick={change}>
            {isTaken ? 'Give back the keyboard' : 'Take over the keyboard'}
          </Button>
          <button
            type="button"
            aria-label="Close the terminal"
            className="rounded-lg p-2 text-muted hover:bg-sunken hover:text-ink"
            onClick={onClose}
          >
            <CrossIcon />
          </button>
        </div>
      </div>
      {problem === null ? null : (
        <div className="px-3 pb-2 sm:px-4">
          <Notice tone="bad">{toProblemWords(problem)} What you typed last did not reach the program.</Notice>
        </div>
      )}
      <TerminalScreen
        sessionId={sessionId}
        label={`Terminal of ${providerName}`}
        isTaken={isTaken}
        onKeys={send}
        onLeave={giveBack}
        className={`min-h-0 flex-1 ${isTaken ? 'ring-2 ring-accent ring-inset' : ''}`}
      />
    </section>
  );
}
