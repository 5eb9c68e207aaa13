/** One of several things to choose from, as a card with a radio button; and something to tick, with its explanation. */
import type { ReactNode } from 'react';
import { useId } from 'react';

type RadioChoiceProps = {
  group: string;
  checked: boolean;
  onChoose: () => void;
  title: string;
  /** Beside the title. */
  tag?: string | undefined;
  children?: ReactNode;
};

export function RadioChoice({ group, checked, onChoose, title, tag, children }: RadioChoiceProps) {
  const explanation = useId();
  return (
    <label
      className={`flex cursor-pointer gap-3 rounded-xl border px-4 py-3 ${checked ? 'border-accent bg-accent-soft' : 'border-line hover:bg-sunken'}`}
    >
      <input
        type="radio"
        name={group}
        checked={checked}
        onChange={onChoose}
        aria-describedby={children === undefined ? undefined : explanation}
        className="mt-1 size-4 shrink-0 accent-accent"
      />
      <span className="min-w-0">
        <span className="font-medium">{title}</span>
        {tag === undefined ? null : <span className="ml-2 text-xs whitespace-nowrap text-muted">{tag}</span>}
        {children === undefined ? null : (
          <span id={explanation} className="mt-0.5 block text-sm text-muted">
            {children}
          </span>
        )}
      </span>
    </label>
  );
}

type TickProps = { checked: boolean; onChange: (checked: boolean) => void; label: string; children?: ReactNode };

export function Tick({ checked, onChange, label, children }: TickProps) {
  const explanation = useId();
  return (
    <div className="flex gap-3">
      <input
        id={`${explanation}-tick`}
        type="checkbox"
        checked={checked}
        onChange={(event) => onChange(event.target.checked)}
        aria-describedby={children === undefined ? undefined : explanation}
        className="mt-1 size-4 shrink-0 accent-accent"
      />
      <div className="min-w-0 text-sm">
        <label htmlFor={`${explanation}-tick`}>{label}</label>
        {children === undefined ? null : (
          <p id={explanation} className="mt-0.5 text-muted">
            {children}
          </p>
        )}
      </div>
    </div>
  );
}
