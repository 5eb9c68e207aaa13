/** Signing in with one's own browser: the link, and one box for whatever came of it. */
import { isOnItsOwnMachine, type Offer } from '@vestibule/protocol/offer';
import type { FormEvent } from 'react';
import { useId, useState } from 'react';
import { useAnswer } from '../session/session-queries.ts';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/notice.tsx';
import { AnswerOutcome } from './answer-outcome.tsx';
import { toAskedWords, toGivenWords } from './given-words.ts';
import { SignInLink } from './sign-in-link.tsx';
import { WayPanel, WayStep } from './way-panel.tsx';

type WayProps = {
  sessionId: string;
  providerName: string;
  offer: Offer;
};

/** What one sees at the end, which may look like a failure and is none. */
function EndWords({ offer }: { offer: Offer }) {
  const { callback, accepts } = offer;
  if (accepts.length === 0)
    return <p className="text-sm text-muted">Nothing has to be brought back: this page changes by itself.</p>;
  const isPage = callback !== null && accepts.includes('callback');
  return (
    <p className="text-sm text-muted">
      {isPage ? (
        <>
          At the end your browser shows a page that failed to load, at{' '}
          <code className="code whitespace-nowrap">localhost:{callback.port}</code>. That is right: nothing listens
          there on your computer. Copy its whole address out of the address bar.
          {accepts.includes('code') ? ' If you are shown a code instead, copy that.' : ''}
        </>
      ) : (
        'At the end you are shown a code. Copy it.'
      )}
    </p>
  );
}

function AnswerBox({ sessionId, providerName, offer }: WayProps) {
  const [text, setText] = useState('');
  const answer = useAnswer(sessionId);
  const fieldId = useId();
  const given = toGivenWords(text, offer);
  const change = (next: string): void => {
    setText(next);
    answer.reset();
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (given?.tone === 'good') answer.mutate({ text: text.trim() }, { onSuccess: () => setText('') });
  };
  return (
    <form onSubmit={submit}>
      <label htmlFor={fieldId} className="block text-sm font-medium">
        {toAskedWords(offer)}
      </label>
      <textarea
        id={fieldId}
        rows={3}
        className="field mt-1.5 font-mono text-sm break-all"
        value={text}
        autoComplete="off"
        autoCapitalize="off"
        autoCorrect="off"
        spellCheck={false}
        aria-invalid={given?.tone === 'bad'}
        aria-describedby={`${fieldId}-said`}
        onChange={(event) => change(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && !event.nativeEvent.isComposing) submit(event);
        }}
      />
      <p
        id={`${fieldId}-said`}
        aria-live="polite"
        data-testid="recognised"
        className={`mt-1.5 min-h-5 text-sm ${given === null ? '' : given.tone === 'good' ? 'text-good' : 'text-bad'}`}
      >
        {given?.words}
      </p>
      <Button type="submit" variant="primary" className="mt-2" disabled={given?.tone !== 'good' || answer.isPending}>
        {answer.isPending ? 'Giving it…' : `Give it to ${providerName}`}
      </Button>
      <AnswerOutcome answer={answer} providerName={providerName} />
    </form>
  );
}

export function OwnBrowserWay(props: WayProps) {
  const { providerName, offer } = props;
  const isBroughtBack = offer.accepts.length > 0;
  const back = isBroughtBack ? ', sign in there, and bring back what you get' : ' and sign in there';
  return (
    <WayPanel heading="Sign in in your own browser" lead={`Open the sign-in page of ${providerName}${back}.`}>
      <WayStep number={1} title="Open the sign-in page">
        {offer.url !== null && isOnItsOwnMachine(offer.url) ? (
          <Notice tone="warn" className="mb-3">
            This page is on the machine on which {providerName} runs, where your own browser cannot go. Choose “Other
            way” and sign in in a browser on this server.
          </Notice>
        ) : null}
        {offer.url === null ? null : <SignInLink url={offer.url} openLabel="Open it in a new tab" />}
        {offer.codeUrl === null ? null : (
          <details className="mt-3 text-sm">
            <summary className="rounded text-muted">I would rather get a code to copy</summary>
            <div className="mt-3">
              <SignInLink url={offer.codeUrl} openLabel="Open the page with a code" openLook="secondary" />
            </div>
          </details>
        )}
      </WayStep>
      <WayStep number={2} title="Sign in there">
        <EndWords offer={offer} />
      </WayStep>
      {isBroughtBack ? (
        <WayStep number={3} title="Paste what you got">
          <AnswerBox {...props} />
        </WayStep>
      ) : null}
    </WayPanel>
  );
}
