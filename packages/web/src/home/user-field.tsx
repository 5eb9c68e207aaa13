/** For whom the next sign-in is. Takes effect when the field is left or Enter is pressed. */
import type { FormEvent } from 'react';
import { useId, useState } from 'react';
import { toUserIdProblem } from './remembered-user.ts';

export function UserField({ userId, onChange }: { userId: string; onChange: (userId: string) => void }) {
  const [text, setText] = useState(userId);
  const fieldId = useId();
  const trimmed = text.trim();
  const problem = toUserIdProblem(trimmed);
  const commit = (): void => {
    if (problem === null && trimmed !== userId) onChange(trimmed);
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    commit();
  };
  return (
    <form onSubmit={submit} className="max-w-sm">
      <label htmlFor={fieldId} className="block text-sm font-medium">
        For whom
      </label>
      <input
        id={fieldId}
        className="field mt-1.5"
        value={text}
        autoCapitalize="off"
        autoComplete="off"
        spellCheck={false}
        aria-invalid={problem !== null}
        aria-describedby={`${fieldId}-help`}
        onChange={(event) => setText(event.target.value)}
        onBlur={commit}
      />
      <p id={`${fieldId}-help`} className={`mt-1.5 text-sm ${problem === null ? 'text-muted' : 'text-bad'}`}>
        {problem ?? 'An id of your choice: each person has logins of their own.'}
      </p>
    </form>
  );
}
