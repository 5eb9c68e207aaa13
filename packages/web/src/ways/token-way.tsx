/** Signing in with a key or token that the person has: which kind, and a box that shows dots. */
import type { FormEvent } from 'react';
import { useId, useState } from 'react';
import { useAnswer } from '../session/session-queries.ts';
import { Button } from '../ui/button.tsx';
import { RadioChoice } from '../ui/choice.tsx';
import { AnswerOutcome } from './answer-outcome.tsx';
import { findTokenProblem, type TokenKindShown } from './token-words.ts';
import { WayPanel } from './way-panel.tsx';

type TokenWayProps = {
  sessionId: string;
  providerName: string;
  kinds: readonly TokenKindShown[];
};

type TokenBoxProps = Omit<TokenWayProps, 'kinds'> & { kind: TokenKindShown };

function TokenBox({ sessionId, providerName, kind }: TokenBoxProps) {
  const [text, setText] = useState('');
  const answer = useAnswer(sessionId);
  const fieldId = useId();
  const problem = findTokenProblem(text, kind);
  const token = text.trim();
  const change = (next: string): void => {
    setText(next);
    answer.reset();
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (token === '' || problem !== null) return;
    answer.mutate({ kind: 'token', tokenKind: kind.id, text: token }, { onSuccess: () => setText('') });
  };
  return (
    <form onSubmit={submit} className="mt-5" autoComplete="off">
      <label htmlFor={fieldId} className="block text-sm font-medium">
        {kind.name}
      </label>
      <input
        id={fieldId}
        type="text"
        className="field masked mt-1.5 font-mono"
        value={text}
        autoComplete="off"
        autoCapitalize="off"
        autoCorrect="off"
        spellCheck={false}
        data-1p-ignore
        data-lpignore="true"
        aria-invalid={problem !== null}
        aria-describedby={`${fieldId}-help`}
        onChange={(event) => change(event.target.value)}
      />
      <p
        id={`${fieldId}-help`}
        aria-live="polite"
        className={`mt-1.5 text-sm ${problem === null ? 'text-muted' : 'text-bad'}`}
      >
        {problem ?? kind.hint}
      </p>
      <Button
        type="submit"
        variant="primary"
        className="mt-4"
        disabled={token === '' || problem !== null || answer.isPending}
      >
        {answer.isPending ? 'Giving it…' : `Give it to ${providerName}`}
      </Button>
      <AnswerOutcome answer={answer} providerName={providerName} />
    </form>
  );
}

export function TokenWay({ kinds, ...props }: TokenWayProps) {
  const group = useId();
  const [chosen, setChosen] = useState<string | null>(null);
  const kind = kinds.find(({ id }) => id === chosen) ?? kinds[0];
  return (
    <WayPanel
      heading="Sign in with a key or token"
      lead={`It passes through this server to ${props.providerName}, and is stored encrypted if ${props.providerName} takes it.`}
    >
      {kinds.length > 1 ? (
        <fieldset className="mt-5">
          <legend className="text-sm font-semibold">What do you have?</legend>
          <div className="mt-2 space-y-2">
            {kinds.map(({ id, name }) => (
              <RadioChoice
                key={id}
                group={group}
                checked={id === kind?.id}
                onChoose={() => setChosen(id)}
                title={name}
              />
            ))}
          </div>
        </fieldset>
      ) : null}
      {kind === undefined ? null : <TokenBox key={kind.id} kind={kind} {...props} />}
    </WayPanel>
  );
}
