/**
 * A text box whose changes are typed into the remote browser: for phones' keyboards, for input methods, and where the clipboard cannot be
 * read. It shows dots, for it may hold a password, and is emptied when the person moves on.
 */
import type { FormEvent, KeyboardEvent } from 'react';
import { useId, useState } from 'react';
import { Button } from '../ui/button.tsx';
import { toEditKeysyms } from './paste-keys.ts';
import type { LiveViewKeys } from './use-live-view.ts';

export function TypeBox({ keys, onClose }: { keys: LiveViewKeys; onClose: () => void }) {
  const [text, setText] = useState('');
  const fieldId = useId();

  const change = (next: string): void => {
    keys.send(toEditKeysyms(text, next));
    setText(next);
  };
  const press = (name: 'enter' | 'tab'): void => {
    keys.press(name);
    setText('');
  };
  const erase = (): void => {
    if (text === '') keys.press('backspace');
    else change(Array.from(text).slice(0, -1).join(''));
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    press('enter');
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Tab' && !event.shiftKey) {
      event.preventDefault();
      press('tab');
    } else if (event.key === 'Backspace' && text === '') {
      keys.press('backspace');
    } else if (event.key === 'Escape') {
      onClose();
    }
  };
  return (
    <form onSubmit={submit} className="flex flex-wrap items-center gap-2 border-t border-line bg-surface p-2 sm:px-4">
      <label htmlFor={fieldId} className="sr-only">
        Type here
      </label>
      <input
        id={fieldId}
        autoFocus
        className="field masked min-h-10 flex-1 basis-48"
        placeholder="Type here: it goes to the browser"
        autoComplete="off"
        autoCapitalize="off"
        autoCorrect="off"
        spellCheck={false}
        enterKeyHint="enter"
        value={text}
        onChange={(event) => change(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <div className="flex gap-2">
        <Button onClick={erase} aria-label="Backspace">
          ⌫
        </Button>
        <Button onClick={() => press('tab')}>Tab</Button>
        <Button type="submit">Enter</Button>
      </div>
    </form>
  );
}
