/** A button of the session's bar: an icon with its word, which narrow screens show below it. */
import type { ReactNode, Ref } from 'react';

type ToolButtonProps = {
  icon: ReactNode;
  label: string;
  onClick: () => void;
  /** Said in full when pointed at. */
  title?: string;
  /** For a button that turns something on and off. */
  pressed?: boolean;
  disabled?: boolean;
  ref?: Ref<HTMLButtonElement>;
};

export function ToolButton({ icon, label, title, onClick, pressed, disabled, ref }: ToolButtonProps) {
  return (
    <button
      ref={ref}
      type="button"
      disabled={disabled}
      title={title}
      aria-pressed={pressed}
      onClick={onClick}
      className="flex min-h-10 flex-1 flex-col items-center justify-center gap-0.5 rounded-lg px-1 text-xs sm:px-2.5 font-medium whitespace-nowrap text-muted hover:bg-sunken hover:text-ink disabled:opacity-50 aria-pressed:bg-accent-soft aria-pressed:text-accent sm:flex-none sm:flex-row sm:gap-1.5 sm:text-sm"
    >
      {icon}
      {label}
    </button>
  );
}
