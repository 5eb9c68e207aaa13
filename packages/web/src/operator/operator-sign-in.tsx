/** Says how to get a sign-in link, and takes a pasted link or token. */
import type { FormEvent } from 'react';
import { useId, useState } from 'react';
import { Button } from '../ui/button.tsx';
import { CentredPage } from '../ui/page-shell.tsx';
import { Notice } from '../ui/notice.tsx';
import { toProblemWords } from '../ui/problem-words.ts';
import { toPastedToken } from './link-token.ts';
import { useSignIn } from './use-operator.ts';

export function OperatorSignIn({ linkRefused }: { linkRefused: boolean }) {
  const [text, setText] = useState('');
  const signIn = useSignIn();
  const fieldId = useId();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const token = toPastedToken(text);
    if (token !== '') signIn.mutate(token);
  };
  return (
    <CentredPage>
      <div className="card p-6 sm:p-8">
        <h1 className="text-2xl font-semibold tracking-tight">Open Vestibule with its link</h1>
        <p className="mt-3 text-muted">
          When Vestibule starts, it prints a link that signs you in: look at the terminal where{' '}
          <code className="code">npm start</code> runs. The same token is in the file{' '}
          <code className="code">operator-token</code> in the data folder.
        </p>
        {linkRefused && signIn.isIdle ? (
          <Notice tone="bad" className="mt-5">
            That link was not accepted. It may belong to another server or an earlier start.
          </Notice>
        ) : null}
        <form onSubmit={submit} className="mt-6">
          <label htmlFor={fieldId} className="block text-sm font-medium">
            Paste the link or the token
          </label>
          <div className="mt-2 flex flex-col gap-3 sm:flex-row">
            <input
              id={fieldId}
              className="field font-mono text-sm"
              type="password"
              autoComplete="off"
              spellCheck={false}
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
            <Button type="submit" variant="primary" disabled={text.trim() === '' || signIn.isPending}>
              Sign in
            </Button>
          </div>
          {signIn.isError ? (
            <Notice tone="bad" className="mt-4">
              {toProblemWords(signIn.error)}
            </Notice>
          ) : null}
        </form>
      </div>
    </CentredPage>
  );
}
